// Compression
//
// Raw deflate (RFC 1951) by zlib, one message at a time, as permessage-deflate (RFC 7692 sections 7.2.1 and 7.2.2)
// wants it: no message knows the one before, so one state of each kind serves all connections of a shard.
//
//     Deflater    a message to its compressed form, or the news that it has none that is shorter
//     Inflater    back, up to a limit
//
// Deliberately not here: frames and negotiation (WebSocketCore), and who gets what compressed (RoostServer).
