extension Script {
  /// Who lives: one lease per node incarnation.
  ///
  ///     ws:p:leases  zset    incarnation → end of its lease (ms); removed by reap, register and depart
  ///     ws:p:conns   hash    incarnation → connections; removed with the lease
  ///     ws:p:info    hash    incarnation → node, and " draining" while it sends its clients away; removed with the
  ///                          lease
  ///     ws:p:dying   zset    incarnation → from when on its undo list is reaped (ms); removed by the last slice
  ///     ws:p:last    string  when anybody last renewed a lease (ms); one day
  ///
  /// Amnesty: when nobody renewed for two intervals, Redis was away, not the nodes; all leases begin anew before
  /// anything is decided. Whoever is dying stays so.
  static let leases = """
    local LEASES, DYING = P..'p:leases', P..'p:dying'
    local t = redis.call('TIME')
    local now = t[1] * 1000 + math.floor(t[2] / 1000)
    local function amnesty()
      local last = tonumber(redis.call('GET', P..'p:last') or 0)
      if now - last <= 2 * INTERVAL and now >= last then return end
      for _, id in ipairs(redis.call('ZRANGE', LEASES, 0, -1)) do redis.call('ZADD', LEASES, now + LEASE, id) end
      redis.call('SET', P..'p:last', now, 'EX', 86400)
    end
    local function holdsLease(id)
      local deadline = tonumber(redis.call('ZSCORE', LEASES, id) or 0)
      if deadline > 0 and deadline <= now then
        amnesty()
        deadline = tonumber(redis.call('ZSCORE', LEASES, id) or 0)
      end
      return deadline > now
    end
    local function endLease(id, reapAt)
      redis.call('ZREM', LEASES, id)
      redis.call('HDEL', P..'p:conns', id)
      redis.call('HDEL', P..'p:info', id)
      redis.call('ZADD', DYING, 'NX', reapAt, id)
    end
    local function fenced() return redis.error_reply('FENCED this incarnation has no lease') end
    local function clamp(key, latest)
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '('..latest, '+inf')) do
        redis.call('ZADD', key, latest, id)
      end
    end
    local function renew(id, connections, isDraining)
      redis.call('SET', P..'p:last', now, 'EX', 86400)
      redis.call('EXPIRE', P..'s:'..ARGV[2], 86400)
      redis.call('ZADD', LEASES, now + LEASE, id)
      redis.call('HSET', P..'p:conns', id, connections)
      redis.call('HSET', P..'p:info', id, ARGV[2]..(isDraining and ' draining' or ''))
      clamp(LEASES, now + LEASE)
      clamp(DYING, now + 900000)
      local nodes, counts = {}, {}
      local live = redis.call('ZRANGEBYSCORE', LEASES, '('..now, '+inf', 'LIMIT', 0, 2000)
      for i = 1, #live, 1000 do
        local last = math.min(i + 999, #live)
        local held = redis.call('HMGET', P..'p:conns', unpack(live, i, last))
        for k, info in ipairs(redis.call('HMGET', P..'p:info', unpack(live, i, last))) do
          if info then
            nodes[#nodes + 1] = info
            counts[#counts + 1] = tonumber(held[k] or 0) or 0
          end
        end
      end
      local expired = redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, 8)
      for _, other in ipairs(redis.call('ZRANGEBYSCORE', DYING, '-inf', now, 'LIMIT', 0, 8)) do
        expired[#expired + 1] = other
      end
      return {nodes, counts, expired}
    end

    """

  /// Arguments: 4 incarnation, 5 connections, 6 `1` when it drains. Returns the living nodes, as `ws:p:info` has them,
  /// their connections, and the incarnations to reap.
  /// A lease that ended but was not yet reaped is still one's own.
  static let heartbeatBody = """
    amnesty()
    if not redis.call('ZSCORE', LEASES, ARGV[4]) then return fenced() end
    return renew(ARGV[4], ARGV[5], ARGV[6] == '1')
    """

  /// Arguments: 4 incarnation, 5 connections, 6 the incarnation it replaces, or empty. The replaced one is reaped
  /// only a lease later: the new one must have taken over its members by then, so that nobody seems to leave.
  static let registerBody = """
    if redis.call('ZSCORE', DYING, ARGV[4]) then return fenced() end
    amnesty()
    if ARGV[6] ~= '' and ARGV[6] ~= ARGV[4] then endLease(ARGV[6], now + LEASE) end
    return renew(ARGV[4], ARGV[5])
    """

  /// Arguments: 4 incarnation, 5 connections.
  static let connectionsBody = """
    if not holdsLease(ARGV[4]) then return fenced() end
    redis.call('HSET', P..'p:conns', ARGV[4], ARGV[5])
    return 1
    """

  /// Arguments: 4 incarnation, 5 grace in milliseconds. Who departed, or was never there, departs again for nothing.
  static let departBody = """
    if redis.call('ZSCORE', LEASES, ARGV[4]) then endLease(ARGV[4], now + ARGV[5]) end
    return 1
    """

  /// Returns connections, users and nodes.
  static let onlineBody = """
    amnesty()
    local live = redis.call('ZRANGEBYSCORE', LEASES, '('..now, '+inf')
    local connections = 0
    for i = 1, #live, 1000 do
      for _, count in ipairs(redis.call('HMGET', P..'p:conns', unpack(live, i, math.min(i + 999, #live)))) do
        connections = connections + (tonumber(count) or 0)
      end
    end
    return {connections, redis.call('HLEN', P..'p:u'), #live}
    """
}
