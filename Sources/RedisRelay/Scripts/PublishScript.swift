extension Script {
  /// A room's meta and the start of an epoch.
  ///
  ///     ws:m:<room>  hash    o top offset, e epoch, x second of the last renewal, v presence version
  ///     ws:h:<room>  stream  <offset>-0, field d: the envelope
  ///     ws:o:<room>  stream  the one of the epoch before, for ten minutes
  ///
  /// An epoch begins with the random part of its generation, so a room that was not moved to this generation is
  /// recognised by its epoch. Stream and meta are renewed once a minute at most; the meta lives a day longer.
  static let epochs = """
    local short = string.sub(ARGV[1], 26, 37)
    local t = redis.call('TIME')
    local second = tonumber(t[1])
    local function newEpoch(room)
      local stream = P..'h:'..room
      if redis.call('EXISTS', stream) == 1 then
        redis.call('RENAME', stream, P..'o:'..room)
        redis.call('EXPIRE', P..'o:'..room, 600)
      end
      return short..'-'..string.format('%x', second * 1000 + math.floor(t[2] / 1000))
    end

    """

  /// Numbers, stores and publishes messages of one room, each once.
  ///
  ///     ws:i:<two minutes>:<0–255>  hash  digest → "<offset> <epoch>"; the last two are looked at, then they go
  ///
  /// Two look-ups find two minutes, wherever in its bucket a message stands (buckets of ten seconds would need
  /// thirteen). 256 parts stay packed when there is little to remember and are small enough to free when there is
  /// much; a part is unlinked (freed aside) when its successor's successor begins, idle ones end by themselves.
  /// Arguments: 4 room, then digest and text (without the closing brace) of each message.
  /// Returns for each message: offset, epoch, 1 when it had been stored before.
  ///
  ///     ws:check  stream  one entry of nothing, for a minute
  ///
  /// Without any message it is a rehearsal: it tries what storing one needs, in a key of its own.
  static let publishBody = """
    if #ARGV == 4 then
      redis.call('XADD', P..'check', 'MAXLEN', 1, '*', 'd', '')
      redis.call('EXPIRE', P..'check', 60)
      return {}
    end
    local token = string.sub(ARGV[1], -32)
    local room = ARGV[4]
    local stream, meta = P..'h:'..room, P..'m:'..room
    local channel = HAS_CHANNELS and P..'b:'..room or P..'broadcast'
    local known = redis.call('HMGET', meta, 'o', 'e', 'x')
    local top, epoch, renewed = tonumber(known[1]), known[2], tonumber(known[3])
    local isNew = not top or not epoch or string.sub(epoch, 1, 12) ~= short
    local period = math.floor(second / 120)
    local out, stored = {}, false
    for i = 5, #ARGV, 2 do
      local digest = ARGV[i]
      local part = ':'..string.byte(digest)
      local bucket = P..'i:'..period..part
      local seen = redis.call('HGET', bucket, digest) or redis.call('HGET', P..'i:'..(period - 1)..part, digest)
      local space = seen and string.find(seen, ' ', 1, true)
      if space and string.sub(seen, space + 1, space + 12) == short then
        out[#out + 1] = tonumber(string.sub(seen, 1, space - 1))
        out[#out + 1] = string.sub(seen, space + 1)
        out[#out + 1] = 1
      else
        if isNew then
          epoch, top, isNew, renewed = newEpoch(room), 0, false, nil
        end
        top, stored = top + 1, true
        local text = ARGV[i + 1]
        redis.call('XADD', stream, 'MAXLEN', MAXLEN, top..'-0', 'd', text..'}')
        redis.call('HSET', bucket, digest, top..' '..epoch)
        if redis.call('HLEN', bucket) == 1 then
          redis.call('EXPIRE', bucket, 360)
          redis.call('UNLINK', P..'i:'..(period - 2)..part)
        end
        redis.call('PUBLISH', channel,
          text..',"epoch":"'..epoch..'","offset":'..top..',"token":"'..token..'"}')
        out[#out + 1], out[#out + 2], out[#out + 3] = top, epoch, 0
      end
    end
    if stored then
      if renewed and second >= renewed and second - renewed < 60 then
        redis.call('HSET', meta, 'o', top)
      else
        redis.call('HSET', meta, 'o', top, 'e', epoch, 'x', second)
        redis.call('EXPIRE', meta, META_TTL + 60)
        redis.call('EXPIRE', stream, STREAM_TTL + 60)
      end
    end
    return out
    """
}
