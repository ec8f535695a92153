// Telemetry: what a node tells its operator.
//
//     shard: plain counters, Histogram ──copy at a scrape──► summed ─► MetricsText ─► /metrics
//     ProcessMetrics: what the kernel knows about us                ──┘
//     anything: Log ─► one line, one write(2) to standard error
//
// Counting costs an addition: a shard owns its numbers, nobody else touches them, and a scrape asks for a copy. So
// there is no registry, no atomic and no lock on the way of a message, and no global state anywhere.
