// A client with a scripted socket, a clock that a test turns, and chance from a seed.
import { RoostClient } from "../../roost.js";

/** Numbers from 0 up to 1 that a seed determines (mulberry32). */
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Until everything that promises wait for has run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

class FakeClock {
  #now = 1_000_000;
  #timers = new Map();
  #count = 0;

  now = () => this.#now;
  setTimeout = (run, ms) => {
    this.#timers.set(++this.#count, { run, at: this.#now + ms });
    return this.#count;
  };
  clearTimeout = (timer) => void this.#timers.delete(timer);

  get pending() {
    return this.#timers.size;
  }

  /** Lets time pass, and what is due happen at its time. */
  async advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
    }
    this.#now = end;
  }
}

class FakeSocket {
  #listeners = {};
  sent = [];
  isOpen = false;
  closedWith;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
  }

  addEventListener(type, listener) {
    (this.#listeners[type] ??= []).push(listener);
  }

  #fire(type, event) {
    for (const listener of this.#listeners[type] ?? []) listener(event);
  }

  send(text) {
    if (!this.isOpen) throw new Error("sent to a socket that is not open");
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith ??= { code };
    this.isOpen = false;
  }

  // What the server does

  async accept() {
    this.isOpen = true;
    this.#fire("open", {});
    await settled();
  }

  async say(...messages) {
    for (const message of messages) {
      this.#fire("message", { data: typeof message === "string" ? message : JSON.stringify(message) });
      await settled();
    }
  }

  async end(code, reason = "") {
    this.isOpen = false;
    this.#fire("close", { code, reason });
    await settled();
  }

  // What the client said

  all(type) {
    return this.sent.filter((envelope) => envelope.type === type);
  }

  last(type) {
    const found = this.all(type).at(-1);
    if (!found) throw new Error(`no ${type} was sent: ${JSON.stringify(this.sent)}`);
    return found;
  }

  /** Answers the last join: the room stands at `offset` of `epoch`. */
  async admit(offset, more = {}, epoch = "e1") {
    const { id, payload } = this.last("join_room");
    const { room_id } = payload;
    await this.say({ type: "room_info", room: room_id, id, payload: { room_id, users: [], count: 0, epoch, offset, ...more } });
  }

  async ack(envelope, offset, more = {}) {
    const payload = { epoch: "e1", message_id: `s${offset}`, ...more };
    await this.say({ type: "ack", room: envelope.room, id: envelope.id, offset, payload });
  }

  async refuse(envelope, code, more = {}) {
    await this.say({ type: "error", id: envelope.id, payload: { code, message: code, ...more } });
  }
}

export const message = (offset, more = {}) => ({
  type: "new_message", room: "r", id: `s${offset}`, offset, payload: { content: `${offset}` }, ...more,
});

/** A client in a world of its own. */
export class World {
  clock = new FakeClock();
  sockets = [];
  heard = [];

  constructor(options = {}, seed = 7) {
    const world = this;
    class WebSocket extends FakeSocket {
      constructor(url, protocols) {
        super(url, protocols);
        world.sockets.push(this);
      }
    }
    const defaults = { token: () => "t", random: seeded(seed), clock: this.clock, WebSocket, page: {} };
    this.client = new RoostClient("ws://host/ws", { ...defaults, ...options });
    this.client.on("*", (event) => this.heard.push(event));
    this.client.connect();
  }

  /** A client that is connected, and in room `r` at `offset`. */
  static async in(offset, options, seed) {
    const world = await new World(options, seed).opened();
    world.client.joinRoom("r");
    await world.socket.admit(offset);
    return world;
  }

  get socket() {
    return this.sockets.at(-1);
  }

  async opened() {
    await settled();
    await this.socket.accept();
    return this;
  }

  /** Ends the connection and lets the client make the next one. */
  async reconnected(code = 1006) {
    await this.socket.end(code);
    await this.clock.advance(this.wait.delay);
    await this.socket.accept();
    return this;
  }

  of(type) {
    return this.heard.filter((event) => event.type === type);
  }

  /** The offsets that the application was handed, in order. */
  get offsets() {
    return this.of("new_message").map(({ offset }) => offset);
  }

  get wait() {
    return this.of("state").findLast(({ state }) => state === "waiting");
  }
}
