extension Script {
  /// The last messages of a room, or those before an offset.
  ///
  /// Arguments: 4 room, 5 the offset that all must be below (0: none), 6 how many, 7 byte budget; one message may
  /// be beyond it.
  /// Returns a null (nothing known in this generation) or epoch, top, the offset of the first envelope, and the
  /// envelopes from the highest offset down. They are next to each other from the highest possible one on: what is
  /// behind a hole is left out.
  static let historyBody = """
    local short = string.sub(ARGV[1], 26, 37)
    local room, before, limit, budget = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
    local meta = redis.call('HMGET', P..'m:'..room, 'o', 'e')
    local top, epoch = tonumber(meta[1]), meta[2]
    if not top or not epoch or string.sub(epoch, 1, 12) ~= short then return false end
    local highest = top
    if before > 0 and before <= top then highest = before - 1 end
    local texts, wanted = {}, highest
    for _, entry in ipairs(redis.call('XREVRANGE', P..'h:'..room, highest..'-0', '-', 'COUNT', limit)) do
      local text = entry[2][2]
      if tonumber(string.sub(entry[1], 1, -3)) ~= wanted or #texts > 0 and #text > budget then break end
      texts[#texts + 1] = text
      budget, wanted = budget - #text, wanted - 1
    end
    return {epoch, top, highest, texts}
    """
}
