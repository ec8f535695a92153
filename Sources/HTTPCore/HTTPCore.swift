// HTTPCore: HTTP/1.1 as far as a WebSocket server needs it (RFC 9110, RFC 9112), and not a step further.
//
//     bytes ─► RequestParser ─► RequestHead        ranges into the caller's bytes; no String until asked
//                   │                ├─ fields     HeaderFields, HeaderList
//                   │                ├─ query      Query, percentDecoded
//                   │                └─ forwardedClient   IPAddress, by X-Forwarded-For and NetworkRanges
//                   └─► RequestError ─► Status     the one table from mistake to number
//     bytes ─► ProxyHeader                         what a proxy says before the request: the PROXY protocol
//     Response ─► bytes                            answers, refusals, the 101
//     bytes ─► ResponseParser ─► ResponseHead      for our own clients: load generator, health check
//
// Stricter than RFC 9112 allows where leniency has been an attack: line ends are CR LF and nothing else, no empty
// line comes before a request, lengths are plain digits, the target is in origin form, two of anything that
// decides where a message ends is an error.
//
// Deliberately not here: chunked bodies, HTTP/1.0, HTTP/2, absolute-form targets, trailers, folding, routing,
// sockets, clocks.
