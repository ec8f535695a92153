// WebSocketCore
//
// RFC 6455 as plain functions and small structs: bytes in, events and bytes out. No socket, no clock, no random
// number, no idea what a message means.
//
//     bytes from the socket ──► MessageReader ──► Event: message, assembled, ping, pong, close
//     bytes to the socket   ◄── FrameWriter   ◄── payloads
//
//     Opcode, FrameHeader      one frame on the wire
//     MessageReader            frames to messages: unmasking, fragments, UTF-8, every limit
//     ProtocolViolation        what a peer can do wrong, and the close code it earns
//     CloseCode                why a connection ends, and whether a client comes back
//     ClosingHandshake         who has said goodbye, what is left to do
//     HandshakeKey             Sec-WebSocket-Key to Sec-WebSocket-Accept (SHA1, Base64 serve only this)
//     SubprotocolOffer         Sec-WebSocket-Protocol
//     DeflateOffer             Sec-WebSocket-Extensions, and the DeflateAgreement (RFC 7692) that comes of it
//     ClientHandshake          the other side, for our own clients
//
// Deliberately not here: compressing itself (Compression; the reader only says which messages are compressed), HTTP
// parsing of requests (HTTPCore), timers: that a message must be complete in time is for the owner, who sees
// `MessageReader.isAssembling`.
