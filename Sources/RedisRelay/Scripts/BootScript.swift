extension Script {
  /// Which generation is this, and which session of the node begins?
  ///
  ///     ws:gen       string  <lineage 24>-<random 12>.<token 32>; replaced by the next boot of another lineage
  ///     ws:s:<node>  string  session: microseconds, rising; ends after a day without a heartbeat
  ///     ws:topology  string  how the nodes relay; replaced with the generation
  ///
  /// Nodes that relay in two ways would not hear each other. Who differs from the others is refused as long as one of
  /// them may live: as long as a lease of the last minute is there, because after an absence of Redis leases that are
  /// over belong to living nodes. When nobody is left, a node that differs begins a generation, which makes any other
  /// that comes back ask again.
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
    local topology = redis.call('GET', P..'topology') or 'broadcast'
    if topology ~= TOPOLOGY then
      local recent = t[1] * 1000 - 60000
      if #redis.call('ZRANGEBYSCORE', P..'p:leases', recent, '+inf', 'LIMIT', 0, 1) > 0 then
        return redis.error_reply('TOPOLOGY the nodes of this cluster have '..topology..', this one has '..TOPOLOGY)
      end
      generation = false
    end
    if not generation or string.sub(generation, 1, 24) ~= ARGV[2] or generation == ARGV[5] then
      generation = ARGV[2]..'-'..ARGV[3]..'.'..ARGV[4]
      redis.call('SET', P..'gen', generation)
      redis.call('SET', P..'topology', TOPOLOGY)
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
