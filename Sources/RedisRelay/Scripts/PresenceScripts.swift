extension Script {
  /// Who is where.
  ///
  ///     ws:p:r:<room>          hash  user → "<nodes>:<name>", the name empty when it is the user id
  ///     ws:p:u                 hash  user → nodes: everybody online
  ///     ws:p:nr:<incarnation>  set   "<length of room>:<room><user>": what this incarnation added, to be undone
  ///
  /// Fields go when their count falls to nothing, and Redis removes empty keys. Users and names are kept as they
  /// stand between the quotes of JSON strings, so nothing needs escaping here; entries are read by length, never by
  /// separator. A user's first node and last node in a room publish the one frame that tells it, with the room's
  /// presence version and how many users it has then.
  static let memberships = """
    local token = string.sub(ARGV[1], -32)
    local stamp = ARGV[5]
    local function announce(kind, room, user, name)
      local meta = P..'m:'..room
      local version = tonumber(redis.call('HGET', meta, 'v') or 0)
      version = string.format('%.0f', math.max(version + 1, t[1] * 1000000 + t[2]))
      redis.call('HSET', meta, 'v', version)
      redis.call('EXPIRE', meta, META_TTL)
      local who = '{"id":"'..user..'","name":"'..(name == '' and user or name)..'"}'
      redis.call('PUBLISH', HAS_CHANNELS and P..'b:'..room or P..'broadcast',
        '{"type":"'..kind..'","room":"'..room..'","payload":'..who..',"sender":'..who..',"timestamp":"'..stamp
        ..'","node":"'..ARGV[2]..'","version":'..version..',"count":'..redis.call('HLEN', P..'p:r:'..room)
        ..',"token":"'..token..'"}')
    end
    local function add(room, user, name, isTold)
      if room == '' then
        redis.call('HINCRBY', P..'p:u', user, 1)
        return
      end
      local held = redis.call('HGET', P..'p:r:'..room, user)
      local nodes = held and tonumber(string.match(held, '^%d+')) or 0
      redis.call('HSET', P..'p:r:'..room, user, (nodes + 1)..':'..name)
      if nodes == 0 and isTold then announce('user_joined', room, user, name) end
    end
    local function remove(room, user, isTold)
      if room == '' then
        setExtra(user, heldExtra(user), 0)
        if redis.call('HINCRBY', P..'p:u', user, -1) <= 0 then redis.call('HDEL', P..'p:u', user) end
        return
      end
      local held = redis.call('HGET', P..'p:r:'..room, user)
      if not held then return end
      local nodes = tonumber(string.match(held, '^%d+')) or 0
      local rest = string.match(held, ':.*$') or ':'
      if nodes > 1 then
        redis.call('HSET', P..'p:r:'..room, user, (nodes - 1)..rest)
      else
        redis.call('HDEL', P..'p:r:'..room, user)
        if isTold then announce('user_left', room, user, string.sub(rest, 2)) end
      end
    end

    """

  /// Arguments: 4 incarnation, 5 timestamp, then of each change: what (`+` joins, `-` leaves, `=` joins untold, `_`
  /// leaves untold), room (or empty: online), user, name. What the undo list knows already changes nothing.
  static let presenceBody = """
    if not holdsLease(ARGV[4]) then return fenced() end
    local undo = P..'p:nr:'..ARGV[4]
    for i = 6, #ARGV, 4 do
      local what, room, user = ARGV[i], ARGV[i + 1], ARGV[i + 2]
      local entry = #room..':'..room..user
      if what == '+' or what == '=' then
        if redis.call('SADD', undo, entry) == 1 then add(room, user, ARGV[i + 3], what == '+') end
      elseif redis.call('SREM', undo, entry) == 1 then
        remove(room, user, what == '-')
      end
    end
    return 1
    """

  /// Arguments: 4 incarnation, 5 timestamp. Undoes at most 200 entries and returns 1 when nothing is left to do now.
  /// The first slice ends the lease, so that the dead cannot come back and any node can go on; taking entries out of
  /// the undo list is the claim on them.
  static let reapBody = """
    amnesty()
    local deadline = tonumber(redis.call('ZSCORE', LEASES, ARGV[4]) or -1)
    if deadline > now then return 1 end
    if deadline >= 0 then endLease(ARGV[4], now) end
    local due = tonumber(redis.call('ZSCORE', DYING, ARGV[4]) or -1)
    if due < 0 or due > now then return 1 end
    local undo = P..'p:nr:'..ARGV[4]
    for _, entry in ipairs(redis.call('SPOP', undo, 200)) do
      local colon = string.find(entry, ':', 1, true)
      local length = tonumber(string.sub(entry, 1, colon - 1))
      remove(string.sub(entry, colon + 1, colon + length), string.sub(entry, colon + length + 1), true)
    end
    if redis.call('SCARD', undo) > 0 then return 0 end
    redis.call('ZREM', DYING, ARGV[4])
    return 1
    """

  /// Arguments: 4 room. Returns count, epoch, top, version, then users and their values, one after the other: all of
  /// them, or 100 when there are more than 200. A room without messages gets its epoch here, so that whoever joins it
  /// has a position to come back with.
  static let rosterBody = """
    local room = ARGV[4]
    local meta, members = P..'m:'..room, P..'p:r:'..room
    local known = redis.call('HMGET', meta, 'o', 'e', 'v')
    local top, epoch, version = tonumber(known[1]), known[2], tonumber(known[3])
    if not top or not epoch or string.sub(epoch, 1, 12) ~= short then
      epoch, top = newEpoch(room), 0
      redis.call('HSET', meta, 'o', 0, 'e', epoch)
    end
    if not version then
      version = t[1] * 1000000 + t[2]
      redis.call('HSET', meta, 'v', string.format('%.0f', version))
    end
    redis.call('EXPIRE', meta, META_TTL)
    local count = redis.call('HLEN', members)
    local who = count <= 200 and redis.call('HGETALL', members)
      or redis.call('HRANDFIELD', members, 100, 'WITHVALUES')
    return {count, epoch, top, version, who}
    """
}
