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
  ///     ws:i:<minute>:<0–127>  hash  digest → "<offset> <epoch>"; three minutes are looked at, then they go
  ///
  /// Buckets of a minute in 128 parts: three look-ups find two minutes, small parts stay packed, and a part is
  /// unlinked (freed aside) when the same part of a later minute begins; idle ones end by themselves.
  /// Arguments: 4 room, then digest and text (without the closing brace) of each message.
  /// Returns for each message: offset, epoch, 1 when it had been stored before.
  static let publishBody = """
    local token = string.sub(ARGV[1], -32)
    local room = ARGV[4]
    local stream, meta = P..'h:'..room, P..'m:'..room
    local known = redis.call('HMGET', meta, 'o', 'e', 'x')
    local top, epoch, renewed = tonumber(known[1]), known[2], tonumber(known[3])
    local isNew = not top or not epoch or string.sub(epoch, 1, 12) ~= short
    local minute = math.floor(second / 60)
    local out, stored = {}, false
    for i = 5, #ARGV, 2 do
      local digest = ARGV[i]
      local part = ':'..(string.byte(digest) % 128)
      local place = P..'i:'..minute..part
      local seen = redis.call('HGET', place, digest) or redis.call('HGET', P..'i:'..(minute - 1)..part, digest)
        or redis.call('HGET', P..'i:'..(minute - 2)..part, digest)
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
        redis.call('XADD', stream, 'MAXLEN', MAXLEN, top..'-0', 'd', ARGV[i + 1]..'}')
        if redis.call('HSET', place, digest, top..' '..epoch) == 1 and redis.call('HLEN', place) == 1 then
          redis.call('EXPIRE', place, 200)
          redis.call('UNLINK', P..'i:'..(minute - 3)..part)
        end
        redis.call('PUBLISH', P..'broadcast',
          ARGV[i + 1]..',"epoch":"'..epoch..'","offset":'..top..',"token":"'..token..'"}')
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
