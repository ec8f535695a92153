extension Script {
  /// How many connections users have. `ws:p:u` says on how many nodes a user is, which for most of them is the number
  /// of their connections too; what is beyond one per node stands here.
  ///
  ///     ws:p:x                 hash  user → connections beyond one per node, over all nodes
  ///     ws:p:nx:<incarnation>  hash  user → those of this incarnation, to be undone when it goes
  ///
  /// A user who is not online has no fields. `ARGV[4]` is the incarnation in all scripts that use this.
  static let extras = """
    local OWN = P..'p:nx:'..ARGV[4]
    local function heldExtra(user) return tonumber(redis.call('HGET', OWN, user) or 0) end
    local function setExtra(user, before, after)
      if before == after then return end
      if after > 0 then redis.call('HSET', OWN, user, after) else redis.call('HDEL', OWN, user) end
      if redis.call('HINCRBY', P..'p:x', user, after - before) <= 0 then redis.call('HDEL', P..'p:x', user) end
    end

    """

  /// Arguments: 4 incarnation, then of each user: user, connections on this node (or empty: only asks). Returns of each
  /// the connections on other nodes.
  static let usersBody = """
    local isHeld = holdsLease(ARGV[4])
    local elsewhere = {}
    for i = 5, #ARGV, 2 do
      local user, count = ARGV[i], tonumber(ARGV[i + 1])
      local extra = heldExtra(user)
      local here = redis.call('SISMEMBER', P..'p:nr:'..ARGV[4], '0:'..user)
      if count and isHeld and here == 1 then
        setExtra(user, extra, math.max(count - 1, 0))
        extra = math.max(count - 1, 0)
      end
      elsewhere[#elsewhere + 1] = tonumber(redis.call('HGET', P..'p:u', user) or 0) - here
        + tonumber(redis.call('HGET', P..'p:x', user) or 0) - extra
    end
    return elsewhere
    """
}
