/**
 * Roost's client for browsers and Node 20: one file, no dependencies. docs/CLIENTS.md says how to use it.
 *
 *     import { connect } from "./roost.js";
 *
 *     const roost = connect("wss://chat.example/ws", { token: () => fetch("/token").then((answer) => answer.text()) });
 *     roost.on("new_message", (message) => console.log(message.sender?.name, message.payload.content));
 *     await roost.joinRoom("general");
 *     await roost.sendMessage("general", "hello");
 *
 * What is asked of the server is a call in one ordered map until it is answered; `#flush` sends what may be sent now,
 * and a lost connection only marks calls as not sent. Types that are not here are in roost.d.ts, with what they mean.
 *
 * @typedef {import("./roost.js").Options} Options
 * @typedef {import("./roost.js").Message} Message
 * @typedef {Record<string, any> & {type: string}} Envelope
 *
 * @typedef {object} Call
 * @property {string} id
 * @property {Envelope} envelope
 * @property {Room} [room]  the room that it needs
 * @property {boolean} isSent  on this connection
 * @property {(answer: any) => void} resolve
 * @property {(error: Error) => void} reject
 */

const DEFAULTS = {
  ...{ minDelay: 1_000, maxDelay: 30_000, connectTimeout: 15_000, pingInterval: 25_000, pongTimeout: 10_000 },
  ...{ queue: 256, messageSize: 4_096, typingIdle: 4_000 },
};
const TYPING_INTERVAL = 3_000; // the server forgets after 6 s
const STEADY = 1_000; // a connection that lasted so long was a success: waits begin anew
const LONGEST_WAIT = 600_000; // whatever a server says
const REMEMBERED_IDS = 1_024; // a server replays 300 messages at most, unless told otherwise
const FINAL_CODES = [1000, 1002, 1003, 1007, 1008, 1009, 1010];
const ANSWERS = ["ack", "error", "room_info", "online_users", "history"];

export class RoostError extends Error {
  /** @param {string} code  @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "RoostError";
    this.code = code;
  }
}

/**
 * Not after a normal end, after what the client did wrong and would do again, and after 4500 to 4999. What proxies may
 * say (1005, 1011, 1013 …) is like 1006.
 * @param {number} code
 */
export function isWorthRetrying(code) {
  return !FINAL_CODES.includes(code) && (code < 4500 || code > 4999);
}

/** @param {string | URL} [url]  @param {Options} [options] */
export function connect(url = "/ws", options = {}) {
  return new RoostClient(url, options).connect();
}

/** A room that the client wants to be in, and how far it got there. */
class Room {
  isIn = false; // from `room_info` to the end of the connection
  history = 0; // how many of the last messages to ask for when nothing can be recovered
  /** @type {import("./roost.js").Position | undefined} */ position;
  /** @type {Promise<any> | undefined} */ joining;
  /** @type {number | undefined} */ typedAt;
  /** @type {Set<string>} */ #ids = new Set();

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /**
   * Whether this place is ahead. Before `room_info` none is: what comes then comes again.
   * @param {any} offset
   */
  reach(offset) {
    if (!this.isIn || !this.position || !Number.isSafeInteger(offset) || offset <= this.position.offset) return false;
    this.position = { ...this.position, offset };
    return true;
  }

  /**
   * Whether this id, of a message or of our own sending, is here for the first time.
   * @param {string} [id]
   */
  isNew(id) {
    if (id === undefined || this.#ids.has(id)) return id === undefined;
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED_IDS) for (const [oldest] of this.#ids.entries()) return this.#ids.delete(oldest);
    return true;
  }
}

export class RoostClient {
  #url;
  #options;
  #clock;
  #prefix;
  #count = 0;
  /** @type {Map<string, Set<(message: any) => void>>} */ #handlers = new Map();
  /** @type {Map<string, Room>} */ #rooms = new Map();
  /** @type {Map<string, Call>} */ #calls = new Map();
  /** @type {Map<string, any>} */ #timers = new Map();
  /** @type {import("./roost.js").State} */ #state = "closed";
  /** @type {any} */ #socket;
  #trial = 0; // which connection it is: what belongs to an older one is told by it
  #attempt = 0; // connections since the last success
  #openedAt = 0;
  #heardAt = 0;
  #notBefore = 0; // when the server wants to see us again
  #isDraining = false;
  /** @type {AbortController | undefined} */ #watch;

  /** @param {string | URL} url  @param {Options} [options] */
  constructor(url, options = {}) {
    const page = /** @type {any} */ (globalThis);
    this.#options = { ...DEFAULTS, random: Math.random, WebSocket: page.WebSocket, page, ...options };
    if (!this.#options.WebSocket) throw new TypeError("there is no WebSocket here: give one as an option");
    this.#url = new URL(url, page.location?.href);
    this.#url.protocol = this.#url.protocol.replace(/^http/, "ws");
    this.#clock = options.clock ?? { setTimeout, clearTimeout, now: () => performance.now() };
    const letters = () => Math.floor(this.#options.random() * 36 ** 8).toString(36);
    this.#prefix = `${letters()}${letters()}-`;
  }

  get state() {
    return this.#state;
  }

  connect() {
    if (this.#state !== "closed") return this;
    this.#attempt = this.#notBefore = 0;
    this.#watchPage();
    this.#open("connect");
    return this;
  }

  disconnect() {
    if (this.#state !== "closed") this.#lost(1000, "disconnected");
  }

  /**
   * @template {string} T
   * @param {T} type
   * @param {(message: import("./roost.js").Event<T>) => void} handler
   */
  on(type, handler) {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(handler));
    return () => this.off(type, handler);
  }

  /** @param {string} type  @param {(message: any) => void} handler */
  off(type, handler) {
    this.#handlers.get(type)?.delete(handler);
  }

  /** @param {string} name  @param {{history?: number}} [options] */
  joinRoom(name, options = {}) {
    const refusal = this.#refusal({ name });
    if (refusal) return refusal;
    const room = this.#rooms.get(name) ?? new Room(name);
    room.history = options.history ?? room.history;
    this.#rooms.set(name, room);
    return this.#join(room);
  }

  /** @param {string} name */
  leaveRoom(name) {
    this.#forget(this.#rooms.get(name), new RoostError("NOT_IN_ROOM", "left the room"));
    if (this.#state === "open") return this.#call({ type: "leave_room", payload: { room_id: name } });
    return Promise.resolve({ type: "ack", room: name }); // without a connection the server has lost us already
  }

  /** @param {string} name  @param {any} content */
  sendMessage(name, content) {
    const room = this.#rooms.get(name);
    if (!room) return this.#refuse("NOT_IN_ROOM", "join the room first");
    this.stopTyping(name);
    return this.#ask({ type: "send_message", room: name, payload: payloadOf(content) }, room);
  }

  /** @param {string} name */
  typing(name) {
    const room = this.#rooms.get(name);
    if (!room?.isIn) return;
    const now = this.#clock.now();
    if (room.typedAt === undefined || now - room.typedAt >= TYPING_INTERVAL) {
      room.typedAt = now;
      this.#transmit({ type: "typing", room: name });
    }
    this.#after(`typing ${name}`, this.#options.typingIdle, () => this.stopTyping(name));
  }

  /** @param {string} name */
  stopTyping(name) {
    const room = this.#rooms.get(name);
    if (room?.typedAt === undefined) return;
    room.typedAt = undefined;
    this.#cancel(`typing ${name}`);
    this.#transmit({ type: "stop_typing", room: name });
  }

  /** @param {string} name */
  onlineUsers(name) {
    return this.#ask({ type: "online_users", payload: { room_id: name } });
  }

  /** @param {string} name  @param {{limit?: number, before?: number}} [options] */
  history(name, options = {}) {
    return this.#ask({ type: "history", payload: { room_id: name, ...options } }, this.#rooms.get(name));
  }

  /** @param {string | number} user  @param {any} content */
  sendPrivate(user, content) {
    return this.#ask({ type: "private", recipient_id: user, payload: payloadOf(content) });
  }

  /** @param {any} content */
  chat(content) {
    return this.#ask({ type: "chat", payload: payloadOf(content) });
  }

  // Connections

  /** @param {"connect" | "expired"} reason */
  async #open(reason) {
    const trial = ++this.#trial;
    this.#openedAt = 0;
    this.#isDraining = false;
    this.#after("connect", this.#options.connectTimeout, () => this.#lost(1006, "no connection in time"));
    this.#setState("connecting");
    try {
      const { token: source, WebSocket } = this.#options;
      const token = await (typeof source === "function" ? source(reason) : source);
      if (trial !== this.#trial) return;
      this.#listen(new WebSocket(this.#url.href, token ? ["roost.v1", `bearer.${token}`] : ["roost.v1"]));
    } catch (error) {
      if (trial === this.#trial) this.#lost(1006, `no token or no socket: ${error}`);
    }
  }

  /** @param {any} socket */
  #listen(socket) {
    this.#socket = socket;
    const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ react) =>
      socket.addEventListener(type, (/** @type {any} */ event) => socket === this.#socket && react(event));
    on("open", () => this.#opened());
    on("message", ({ data }) => this.#received(data));
    on("close", ({ code, reason }) => this.#lost(code, reason));
    on("error", () => {}); // a close follows
    // No browser tells how a handshake was refused. The `ws` of Node does.
    socket.on?.("unexpected-response", (/** @type {any} */ request, /** @type {any} */ { statusCode, headers }) => {
      request.destroy();
      if (socket !== this.#socket) return;
      this.#notBefore = this.#clock.now() + bounded(headers["retry-after"] * 1_000);
      this.#lost(1006, `refused with ${statusCode}`);
    });
  }

  #opened() {
    this.#cancel("connect");
    this.#openedAt = this.#heardAt = this.#clock.now();
    this.#after("ping", this.#options.pingInterval, () => this.#breakSilence());
    for (const room of this.#rooms.values()) this.#join(room);
    this.#setState("open");
    this.#flush();
  }

  /** @param {number} code  @param {string} reason */
  #lost(code, reason) {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#trial += 1;
    for (const timer of this.#timers.keys()) this.#cancel(timer);
    for (const room of this.#rooms.values()) Object.assign(room, { isIn: false, typedAt: undefined });
    const isOver = !isWorthRetrying(code) || (code === 4001 && typeof this.#options.token !== "function");
    this.#state = isOver ? "closed" : "waiting";
    if (isOver) this.#watch?.abort();
    socket?.close(...(code === 1000 ? [1000] : []));
    for (const call of this.#calls.values()) {
      if (isOver) this.#settle(call, new RoostError("CLOSED", "the client is closed"));
      else if (["leave_room", "refresh_token"].includes(call.envelope.type)) this.#settle(call, { type: "ack" });
      else if (call.isSent && !isRepeatable(call)) {
        this.#settle(call, this.#failure("CONNECTION_LOST", "the connection ended before the answer", call.id));
      }
      call.isSent = false;
    }
    if (isOver) this.#setState("closed", { code, reason });
    else if (this.#state === "waiting") this.#wait(code, reason); // unless a handler disconnected
  }

  /**
   * Full jitter: each time up to a bound that doubles is as likely as any other, so a crowd does not come back as one.
   * @param {number} code  @param {string} reason
   */
  #wait(code, reason) {
    const { minDelay, maxDelay, random } = this.#options;
    const now = this.#clock.now();
    const isPenalty = code === 4008 || code === 4029; // too slow, too loud: not forgiven as soon
    if (this.#openedAt && now - this.#openedAt >= (isPenalty ? maxDelay : STEADY)) this.#attempt = 0;
    if (code === 4029) this.#attempt = Math.max(this.#attempt, 3);
    const backoff = Math.floor(random() * Math.min(maxDelay, minDelay * 2 ** this.#attempt++));
    const told = Math.max(this.#notBefore - now, 0);
    const delay = this.#isDraining ? told : Math.max(told, backoff);
    this.#after("retry", delay, () => this.#open(code === 4001 ? "expired" : "connect"));
    this.#setState("waiting", { delay, code, reason });
  }

  #breakSilence() {
    const { pingInterval } = this.#options;
    const left = pingInterval - (this.#clock.now() - this.#heardAt);
    if (left <= 0) this.#probe();
    this.#after("ping", left > 0 ? left : pingInterval, () => this.#breakSilence());
  }

  /** Asks whether the server is there: a connection may be dead for minutes before a browser notices. */
  #probe() {
    if (this.#state !== "open") return;
    const asked = this.#clock.now();
    this.#transmit({ type: "ping" });
    this.#after("pong", this.#options.pongTimeout, () => this.#heardAt < asked && this.#lost(1006, "silence"));
  }

  #watchPage() {
    const { page } = this.#options;
    if (!page.addEventListener) return;
    this.#watch = new AbortController();
    const { signal } = this.#watch;
    page.addEventListener("online", () => this.#wake(), { signal });
    page.addEventListener("offline", () => this.#probe(), { signal });
    const changed = () => {
      if (page.document.visibilityState === "visible") this.#wake();
      else for (const name of this.#rooms.keys()) this.stopTyping(name);
    };
    page.document?.addEventListener("visibilitychange", changed, { signal });
  }

  /** The network or the user is back: no reason to wait longer, unless the server gave one. */
  #wake() {
    this.#probe();
    if (this.#state !== "waiting") return;
    this.#attempt = 0;
    this.#wait(1006, "awake");
  }

  // What is asked

  /** @param {Envelope} envelope  @param {Room} [room]  @returns {Promise<any>} */
  #ask(envelope, room) {
    return this.#refusal(envelope) ?? this.#call(envelope, room);
  }

  /** @param {object} envelope */
  #refusal(envelope) {
    if (this.#state === "closed") return this.#refuse("CLOSED", "the client is closed");
    if (this.#calls.size >= this.#options.queue) return this.#refuse("QUEUE_FULL", "too many calls wait");
    const size = new TextEncoder().encode(JSON.stringify(envelope)).length + 48; // the id
    if (size > this.#options.messageSize) return this.#refuse("PAYLOAD_TOO_LARGE", "too large for one message");
  }

  /** @param {string} code  @param {string} message  @returns {Promise<any>} */
  #refuse(code, message) {
    return handled(Promise.reject(this.#failure(code, message)));
  }

  /** @param {string} code  @param {string} message  @param {string} [id] */
  #failure(code, message, id) {
    this.#emit({ type: "error", payload: { code, message }, id });
    return new RoostError(code, message);
  }

  /** @param {Envelope} envelope  @param {Room} [room]  @returns {Promise<any>} */
  #call(envelope, room) {
    const id = `${this.#prefix}${++this.#count}`;
    const answer = new Promise((resolve, reject) => {
      this.#calls.set(id, { id, envelope, room, isSent: false, resolve, reject });
    });
    this.#flush();
    return handled(answer);
  }

  /** @param {Room} room */
  #join(room) {
    room.isIn = false;
    return (room.joining ??= this.#call({ type: "join_room" }, room));
  }

  /** Of a room one message is on its way at a time, so that none overtakes one that must be sent again. */
  #flush() {
    if (this.#state !== "open") return;
    const busy = new Set();
    for (const call of this.#calls.values()) {
      const { envelope, room, id } = call;
      if (envelope.type === "join_room" && room) {
        const { name, position, history } = room;
        envelope.payload = { room_id: name, since: position, history: history || undefined };
      } else if (room) {
        if (!room.isIn || (envelope.type === "send_message" && busy.has(room))) continue;
        if (envelope.type === "send_message") busy.add(room);
      }
      if (!call.isSent) call.isSent = this.#transmit({ ...envelope, id });
    }
  }

  /** @param {Envelope} envelope  @returns {boolean} whether it was sent */
  #transmit(envelope) {
    const maySend = this.#state === "open" && !this.#isDraining; // who is sent away says nothing new
    if (maySend) this.#socket.send(JSON.stringify(envelope));
    return maySend;
  }

  /** @param {Call} call  @param {any} answer  a message, or a RoostError */
  #settle(call, answer) {
    if (!this.#calls.delete(call.id)) return;
    const isJoin = call.envelope.type === "join_room";
    if (isJoin && call.room) call.room.joining = undefined;
    if (!(answer instanceof RoostError)) return call.resolve(answer);
    call.reject(answer);
    if (isJoin && answer.code !== "CLOSED") this.#forget(call.room, answer);
  }

  /** @param {Room | undefined} room  @param {RoostError} error  for what waits for the room */
  #forget(room, error) {
    if (!room || this.#rooms.get(room.name) !== room) return;
    this.stopTyping(room.name);
    this.#rooms.delete(room.name);
    for (const call of this.#calls.values()) if (call.room === room) this.#settle(call, error);
  }

  // What is heard

  /** @param {any} data */
  #received(data) {
    const message = parsed(data);
    if (!message) return;
    this.#heardAt = this.#clock.now();
    const { type, id } = message;
    const payload = message.payload ?? {};
    const isAnswer = ANSWERS.includes(type) && id !== undefined;
    const call = isAnswer ? this.#calls.get(id) : undefined;
    if (isAnswer && !call) return; // too late
    const room = call?.room ?? this.#rooms.get(message.room ?? payload.room_id);
    if (call?.room) message.room ??= call.room.name;
    if (!this.#understand(message, payload, call, room)) return;
    if (call) this.#settle(call, type === "error" ? new RoostError(payload.code, payload.message) : message);
    this.#emit(message);
    if (type === "room_info" && payload.recovered === false) this.#emit({ ...message, type: "resync" });
    this.#flush();
  }

  /**
   * @param {any} message  @param {any} payload  @param {Call} [call]  @param {Room} [room]
   * @returns {boolean} whether the application hears of it
   */
  #understand(message, payload, call, room) {
    const place = { epoch: payload.epoch, offset: payload.offset };
    switch (message.type) {
      case "new_message":
        return this.#isNews(message, room);
      case "room_info":
        if (!room || !call) return false;
        Object.assign(room, { position: place, isIn: true });
        return true;
      case "resync":
        if (!room?.isIn) return false;
        if (payload.reason === "slow_consumer") return void this.#join(room) ?? false; // what was left out can be had
        room.position = place;
        return true;
      case "ack":
        if (call?.envelope.type === "send_message" && room) {
          room.isNew(message.id); // a replay may hold it again, as client_id
          if (!payload.dup && payload.epoch === room.position?.epoch) room.reach(message.offset);
        } else if (room && message.id === undefined) {
          this.#forget(room, new RoostError("FORBIDDEN", "the new token does not open the room"));
        }
        return true;
      case "error":
        return !call || !this.#willRepeat(call, payload);
      case "server_draining": {
        const wait = bounded(payload.reconnect_after_ms);
        this.#isDraining = true;
        this.#notBefore = this.#clock.now() + wait;
        this.#after("connect", wait + 5_000, () => this.#lost(1012, "sent away, and not closed"));
        return true;
      }
      case "token_expiring":
        this.#refresh();
    }
    return true;
  }

  /** @param {any} message  @param {Room} [room] */
  #isNews(message, room) {
    const { id, offset, client_id } = message;
    if (offset === undefined) return true; // not of the numbered: from another program, or while the relay is away
    if (!room?.reach(offset)) return false;
    const call = this.#calls.get(client_id);
    if (call) {
      // Our own, whose ack got lost with a connection: this tells as much.
      const ack = { type: "ack", id: client_id, room: room.name, offset };
      this.#received(JSON.stringify({ ...ack, payload: { epoch: room.position?.epoch, message_id: id } }));
    }
    const isOther = room.isNew(client_id);
    return room.isNew(id) && isOther;
  }

  /** @param {Call} call  @param {{code: string, retry_after_ms?: number}} error */
  #willRepeat(call, { code, retry_after_ms: wait }) {
    const isUnknown = code === "RELAY_UNAVAILABLE" && wait !== undefined && isRepeatable(call);
    if (code !== "RATE_LIMITED" && !isUnknown) return false;
    this.#after(`again ${call.id}`, bounded(wait ?? 1_000), () => {
      call.isSent = false;
      this.#flush();
    });
    return true;
  }

  /** Without a new token the connection ends with 4001, and the next one asks again. */
  async #refresh() {
    const { token: source } = this.#options;
    const trial = this.#trial;
    try {
      const token = typeof source === "function" && (await source("expiring"));
      if (token && trial === this.#trial) this.#call({ type: "refresh_token", payload: { token } });
    } catch {
      // The same.
    }
  }

  /** @param {{type: string} & Record<string, any>} message */
  #emit(message) {
    for (const type of [message.type, "*"]) {
      for (const handler of [...(this.#handlers.get(type) ?? [])]) {
        try {
          handler(message);
        } catch (error) {
          queueMicrotask(() => { throw error; }); // the application's own matter, shown as such
        }
      }
    }
  }

  /** @param {import("./roost.js").State} state  @param {object} [more] */
  #setState(state, more) {
    this.#state = state;
    this.#emit({ type: "state", state, ...more });
  }

  /** @param {string} name  of which there is one timer  @param {number} ms  @param {() => void} run */
  #after(name, ms, run) {
    this.#cancel(name);
    const { setTimeout } = this.#clock; // a browser's does not want to be called as a method
    this.#timers.set(name, setTimeout(() => (this.#timers.delete(name), run()), ms));
  }

  /** @param {string} name */
  #cancel(name) {
    const { clearTimeout } = this.#clock;
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** @param {any} content */
function payloadOf(content) {
  return typeof content === "string" ? { content } : content;
}

/**
 * Whether the server knows a repetition by its id, or none does harm.
 * @param {Call} call
 */
function isRepeatable(call) {
  return !["private", "chat"].includes(call.envelope.type);
}

/** @param {any} ms */
function bounded(ms) {
  return Math.min(Math.max(Number(ms) || 0, 0), LONGEST_WAIT);
}

/**
 * Failures are also `error` events, so a promise that nobody looks at is no fault.
 * @param {Promise<any>} promise
 */
function handled(promise) {
  promise.catch(() => {});
  return promise;
}

/** @param {any} data  @returns {any} */
function parsed(data) {
  try {
    const message = JSON.parse(data);
    return typeof message?.type === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}
