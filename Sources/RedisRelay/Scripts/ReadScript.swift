extension Script {
  /// Bytes of messages in one answer; every room that has something gets at least one message beyond it.
  static let readBytes = 8 * 1_024 * 1_024

  /// What lies above known positions.
  ///
  /// Arguments: 4 byte budget, then room, known epoch (or empty) and known offset of each room.
  /// Returns for each room a null (nothing known in this generation) or epoch, top, 1 when complete, and the
  /// messages: offset and envelope, one after the other.
  ///
  /// Proof of completeness: the first is known + 1, the last is the top, none between is missing. When the budget
  /// cuts a run, it begins at known + 1 all the same, so that the asker can go on from its end. A room without a
  /// known position is only told its top.
  static let readBody = """
    local short = string.sub(ARGV[1], 26, 37)
    local budget = tonumber(ARGV[4])
    local out = {}
    local function run(stream, first)
      local rows, last = {}, first - 1
      for _, entry in ipairs(redis.call('XRANGE', stream, first, '+', 'COUNT', budget > 0 and MAXLEN or 1)) do
        local offset, text = tonumber(string.sub(entry[1], 1, -3)), entry[2][2]
        if offset ~= last + 1 then return rows, last end
        if #rows > 0 and #text > budget then return rows, last end
        budget, last = budget - #text, offset
        rows[#rows + 1], rows[#rows + 2] = offset, text
      end
      return rows, last
    end
    for i = 5, #ARGV, 3 do
      local room, known = ARGV[i], tonumber(ARGV[i + 2])
      local meta = redis.call('HMGET', P..'m:'..room, 'o', 'e')
      local top, epoch = tonumber(meta[1]), meta[2]
      if not top or not epoch or string.sub(epoch, 1, 12) ~= short then
        out[#out + 1] = false
      else
        local rows, complete = {}, 0
        if ARGV[i + 1] == '' or epoch == ARGV[i + 1] and known == top then
          complete = 1
        elseif epoch == ARGV[i + 1] and known < top then
          local last
          rows, last = run(P..'h:'..room, known + 1)
          if last == top then complete = 1 end
        end
        out[#out + 1] = {epoch, top, complete, rows}
      end
    end
    return out
    """
}
