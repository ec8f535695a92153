extension Script {
  /// Which generation is this, and which session of the node begins?
  ///
  ///     ws:gen       string  <lineage 24>-<random 12>.<token 32>; replaced by the next boot of another lineage
  ///     ws:s:<node>  string  session: microseconds, rising; ends after a day without a heartbeat
  ///
  /// Arguments: 1 node, 2 lineage, 3 random part, 4 token, 5 the generation to replace even when its lineage is right
  /// (compare-and-set: of many nodes that ask, one succeeds), or empty.
  ///
  /// A generation may begin with what an earlier moment left behind: incarnations about to be reaped whose successors'
  /// joins are lost. Nobody's lease and nobody's undo list ends before all nodes had a lease's time to register anew.
  static let bootBody = """
    local t = redis.call('TIME')
    local function spare()
      local lease = t[1] * 1000 + math.floor(t[2] / 1000) + LEASE
      for _, key in ipairs({P..'p:leases', P..'p:dying'}) do
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '('..lease)) do
          redis.call('ZADD', key, lease, id)
        end
      end
    end
    local generation = redis.call('GET', P..'gen')
    if not generation or string.sub(generation, 1, 24) ~= ARGV[2] or generation == ARGV[5] then
      generation = ARGV[2]..'-'..ARGV[3]..'.'..ARGV[4]
      redis.call('SET', P..'gen', generation)
      spare()
    end
    local session = t[1] * 1000000 + t[2]
    local before = tonumber(redis.call('GET', P..'s:'..ARGV[1]) or 0)
    if session <= before then session = before + 1 end
    session = string.format('%.0f', session)
    redis.call('SET', P..'s:'..ARGV[1], session, 'EX', 86400)
    return {generation, session}
    """
}
