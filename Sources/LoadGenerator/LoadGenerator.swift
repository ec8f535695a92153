// LoadGenerator: many WebSocket clients on one thread.
//
//     SwarmCore ── turns one event loop: sockets, handshakes, frames        (Wire: what a driver may do)
//        │ calls
//        ▼
//     a SwarmDriver decides what the clients say and what they make of what they hear
//        FanoutDriver  EchoDriver  ConnectDriver  IdleDriver   measure   ◄─ Bench ◄─ roost bench
//        Recorder                                             remembers ◄─ Swarm ◄─ cluster tests
//
// A client is a noncopyable struct in a slab; a message costs no allocation, no lock and no existential, so that the
// generator stays cheaper than the servers it measures. The core is generic over its driver and specialised for it.
