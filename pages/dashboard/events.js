// What happened while this page was looking, told from one answer to the next.

import { $, el } from "../dom.js";

const MOST = 200;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class EventLog {
  /** @type {Map<string, string> | undefined} */ #states;
  // Those that were seen draining: when they fall silent and leave, all is well.
  /** @type {Set<string>} */ #draining = new Set();
  #relay = { isThere: true, goodAnswers: 0, isKnown: false };

  /** @param {string} text  @param {"" | "good" | "bad"} [kind] */
  tell(text, kind = "") {
    const now = new Date();
    const time = el("time", { datetime: now.toISOString() }, clock.format(now));
    $("events").prepend(el("li", {}, time, el("span", { class: kind && `is-${kind}` }, text)));
    while ($("events").childElementCount > MOST) $("events").lastElementChild?.remove();
  }

  /** @param {{node: string, state: string}[]} nodes */
  nodes(nodes) {
    const states = new Map(nodes.map(({ node, state }) => [node, state]));
    const before = this.#states;
    this.#states = states;
    for (const [node, state] of states) if (state === "draining") this.#draining.add(node);
    if (!before) return this.tell(`${states.size === 1 ? "1 node is" : `${states.size} nodes are`} there`);
    for (const [node, state] of states) {
      const was = before.get(node);
      if (was === undefined) this.tell(`${node} joined`, "good");
      if (was === state) continue;
      const isExpected = state === "silent" && this.#draining.has(node);
      if (state === "draining") this.tell(`${node} is draining`);
      else if (state === "silent" && !isExpected) this.tell(`${node} does not answer`, "bad");
      else if (state === "ready" && was !== undefined) this.tell(`${node} is ready again`, "good");
    }
    for (const [node, state] of before) {
      if (states.has(node)) continue;
      if (this.#draining.delete(node)) this.tell(`${node} has drained and left`);
      else this.tell(`${node} left${state === "silent" ? ": its lease ended" : ""}`, "bad");
    }
  }

  /**
   * What the node that answered says of Redis; some notice later than others.
   *
   * @param {string} state  @param {string} [trouble]
   */
  relay(state, trouble) {
    const relay = this.#relay;
    const isThere = state === "connected";
    relay.goodAnswers = isThere ? relay.goodAnswers + 1 : 0;
    if (!isThere && relay.isThere) {
      this.tell(`Redis lost${trouble ? `: ${trouble.replaceAll("_", " ")}` : ""}`, "bad");
      relay.isThere = false;
    } else if (!relay.isThere && relay.goodAnswers > 1) {
      this.tell("Redis is back", "good");
      relay.isThere = true;
    }
  }

  /** @param {{node: string, fenced: number, reaped: number}} numbers */
  presence({ node, fenced, reaped }) {
    if (fenced > 0) this.tell(`${node} was fenced: it had lost its lease, and registered anew`, "bad");
    const dead = reaped === 1 ? "a dead node" : `${reaped} dead nodes`;
    if (reaped > 0) this.tell(`${node} counted out the users of ${dead}`);
  }
}
