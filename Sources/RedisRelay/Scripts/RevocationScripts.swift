import RealtimeCore

extension Script {
  /// Which tokens are revoked.
  ///
  ///     ws:revoked      hash  `t<token id>` or `u<user>` → "<end>:<issued until>", in seconds; `#` → how often
  ///                           something was learnt
  ///     ws:revoked:seq  zset  the same fields → which of these times was theirs
  ///     ws:revoked:end  zset  the same fields → end
  ///
  /// Whoever writes or reads removes up to a hundred that ended, five minutes late, because clocks differ: by Redis'
  /// clock and by the asker's, so that one clock that is ahead loses nothing. Readers go by `seq`, whose numbers are
  /// never used again, so that no slice leaves one out, whatever is added or removed meanwhile.
  static let ended = """
    local HELD, SEQ, ENDS = P..'revoked', P..'revoked:seq', P..'revoked:end'
    local horizon = math.min(tonumber(redis.call('TIME')[1]), tonumber(ARGV[4])) - \(Revocation.slack)
    for _, key in ipairs(redis.call('ZRANGEBYSCORE', ENDS, '-inf', '('..horizon, 'LIMIT', 0, 100)) do
      redis.call('HDEL', HELD, key)
      redis.call('ZREM', SEQ, key)
      redis.call('ZREM', ENDS, key)
    end
    local function parse(held)
      local ending, issued = string.match(held or '', '^(%d+):(%d+)$')
      return tonumber(ending) or 0, tonumber(issued) or 0
    end

    """

  /// Arguments: 4 the asker's clock in seconds, then key, end and issued until of each. Returns how many were not
  /// stored, because there is no room. All nodes are told when there is something to read.
  static let revokeBody = """
    local refused, top = 0, nil
    for i = 5, #ARGV, 3 do
      local key, ending, issued = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
      local held = redis.call('HGET', HELD, key)
      local heldEnding, heldIssued = parse(held)
      if not held and redis.call('HLEN', HELD) > \(RelayLimits.revocations) then
        refused = refused + 1
      elseif not held or heldEnding < ending or heldIssued < issued then
        ending, issued = math.max(ending, heldEnding), math.max(issued, heldIssued)
        top = redis.call('HINCRBY', HELD, '#', 1)
        redis.call('HSET', HELD, key, string.format('%.0f:%.0f', ending, issued))
        redis.call('ZADD', SEQ, top, key)
        redis.call('ZADD', ENDS, ending, key)
      end
    end
    if top then
      redis.call('PUBLISH', P..'broadcast', '{"type":"revoked","payload":'..top..',"node":"'..ARGV[2]
        ..'","token":"'..string.sub(ARGV[1], -32)..'"}')
    end
    return refused
    """

  /// Arguments: 4 the asker's clock in seconds, 5 position, 6 how many at most. Returns the position after them, how
  /// often something was learnt, 1 when nothing follows, before when ended ones are forgotten, and keys and values, one
  /// after the other.
  static let revocationsBody = """
    local top, count = tonumber(redis.call('HGET', HELD, '#') or 0), tonumber(ARGV[6])
    local rows = redis.call('ZRANGEBYSCORE', SEQ, '('..ARGV[5], '+inf', 'WITHSCORES', 'LIMIT', 0, count)
    local position, isLast = top, 1
    if #rows == 2 * count then position, isLast = tonumber(rows[#rows]), 0 end
    local out = {}
    for i = 1, #rows, 2 do
      out[#out + 1], out[#out + 2] = rows[i], redis.call('HGET', HELD, rows[i]) or ''
    end
    return {position, top, isLast, horizon, out}
    """
}
