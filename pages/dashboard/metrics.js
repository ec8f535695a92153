// A node's metrics, and what they say per second. A node is known by its name: behind a balancer another one may answer
// each time, so numbers are only compared with older ones of the same node.

const WINDOW = 30_000; // of a quantile

/**
 * @typedef {object} Sample
 * @property {number} at  milliseconds of this page's clock
 * @property {string} node
 * @property {Map<string, number>} values
 * @property {{bound: number, count: number}[]} latency  cumulative, by upper bound in seconds
 */

/** Prometheus' text. @param {string} text  @param {number} at  @returns {Sample} */
export function sampleOf(text, at) {
  const values = new Map();
  const latency = [];
  let node = "";
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) continue;
    const [, name, labels = "", number] = match;
    const value = Number(number);
    if (name === "roost_build_info") node = labelOf(labels, "node");
    else if (name === "roost_relay_latency_seconds_bucket") {
      latency.push({ bound: Number(labelOf(labels, "le").replace("+Inf", "Infinity")), count: value });
    } else if (name.startsWith("roost_")) values.set(labels ? `${name}{${labels}}` : name, value);
  }
  return { at, node, values, latency };
}

/** @param {string} labels  @param {string} name */
function labelOf(labels, name) {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
}

export class NodeMetrics {
  /** @type {Map<string, Sample[]>} */ #samples = new Map();

  /** What the newest sample of a node says. @param {Sample} sample */
  take(sample) {
    const samples = this.#samples.get(sample.node) ?? [];
    const before = samples.at(-1);
    while (samples.length > 0 && sample.at - samples[0].at > WINDOW) samples.shift();
    samples.push(sample);
    this.#samples.set(sample.node, samples);
    const oldest = samples[0];
    return {
      node: sample.node,
      deliveries: rate(before, sample, "roost_deliveries_total"),
      median: quantile(oldest, sample, 0.5),
      slowest: quantile(oldest, sample, 0.99),
      fenced: grown(before, sample, "roost_presence_fenced_total"),
      reaped: grown(before, sample, "roost_presence_reaped_total"),
    };
  }
}

/** What all nodes together stored, per second and each, from one answer about the nodes to the next. */
export class MessageRates {
  /** @type {Map<string, number>} */ #counts = new Map();
  #at = 0;

  /** @param {{node: string, messages?: number}[]} nodes  @param {number} at  milliseconds */
  take(nodes, at) {
    const seconds = (at - this.#at) / 1_000;
    const rates = new Map();
    for (const { node, messages } of nodes) {
      const before = this.#counts.get(node);
      if (messages === undefined || before === undefined) continue;
      rates.set(node, Math.max(0, messages - before) / seconds);
    }
    this.#at = at;
    const telling = nodes.filter(({ messages }) => messages !== undefined);
    this.#counts = new Map(telling.map(({ node, messages }) => [node, messages]));
    return rates;
  }
}

/** @param {Sample | undefined} before  @param {Sample} now  @param {string} name */
function grown(before, now, name) {
  return before ? Math.max(0, (now.values.get(name) ?? 0) - (before.values.get(name) ?? 0)) : 0;
}

/**
 * Per second; undefined for a first sample.
 *
 * @param {Sample | undefined} before  @param {Sample} now  @param {string} name
 */
function rate(before, now, name) {
  return before && now.at > before.at ? (grown(before, now, name) * 1_000) / (now.at - before.at) : undefined;
}

/** In milliseconds, between the bounds of a bucket as if all were alike; undefined without any. */
function quantile(before, now, share) {
  const older = before.latency;
  const counts = now.latency.map(({ bound, count }, index) => ({ bound, count: count - (older[index]?.count ?? 0) }));
  const all = counts.at(-1)?.count ?? 0;
  if (all <= 0) return undefined;
  const wanted = all * share;
  const index = counts.findIndex(({ count }) => count >= wanted);
  const low = index > 0 ? counts[index - 1] : { bound: 0, count: 0 };
  const { bound, count } = counts[index];
  if (bound === Infinity) return low.bound * 1_000;
  return (low.bound + ((bound - low.bound) * (wanted - low.count)) / Math.max(1, count - low.count)) * 1_000;
}
