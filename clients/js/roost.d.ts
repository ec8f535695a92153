// What roost.js offers. scripts/js-test holds the two to each other.

export interface User {
  id: string;
  name: string;
}

/** How far one got in a room. */
export interface Position {
  epoch: string;
  offset: number;
}

/** What a server says; docs/PROTOCOL.md lists the types. */
export interface Message {
  type: string;
  room?: string;
  payload?: any;
  /** Missing in what a backend sends in nobody's name. */
  sender?: User;
  /** RFC 3339, UTC. */
  timestamp?: string;
  /** Of a `new_message` the server's, of an answer its question's. */
  id?: string;
  /** The place of the message in its room. */
  offset?: number;
  /** In copies of the user's own messages: the id that their sender gave. */
  client_id?: string;
  recipient_id?: string | number;
  sender_id?: string | number;
  /** Delivered on one node only, and not stored. */
  degraded?: boolean;
}

export interface Ack extends Message {
  room: string;
  offset: number;
  payload: { epoch: string; message_id?: string; dup?: boolean };
}

export interface PrivateAck extends Message {
  /** `recipients`: connections reached; none is no error. `partial`: some node did not say. */
  payload: { recipients: number; partial?: boolean };
}

export interface OnlineUsers extends Message {
  /** In a big room `users` are 100 and `count` is exact. */
  payload: { room_id: string; users: User[]; count: number };
}

export interface RoomInfo extends OnlineUsers {
  payload: { room_id: string; users: User[]; count: number; recovered?: boolean; reason?: string } & Position;
}

export interface History extends Message {
  payload: { room_id: string; epoch: string; messages: Message[] };
}

export interface ErrorMessage extends Message {
  payload: { code: string; message: string; retry_after_ms?: number };
}

/** What was missed in a room cannot be had: said by the server, or by the client when a return was not recovered. */
export interface Resync extends Message {
  payload: { room_id: string; reason: string } & Position;
}

export type State = "connecting" | "open" | "waiting" | "closed";

export interface StateChange {
  type: "state";
  state: State;
  /** Milliseconds until the next try, when waiting. */
  delay?: number;
  /** Why the last connection ended: a close code, or 1006, and words. */
  code?: number;
  reason?: string;
}

/** Types whose messages say more than {@link Message}. */
export interface KnownEvents {
  state: StateChange;
  error: ErrorMessage;
  room_info: RoomInfo;
  online_users: OnlineUsers;
  history: History;
  resync: Resync;
}

export type Event<T extends string> = T extends keyof KnownEvents ? KnownEvents[T] : Message;

/** Times are in milliseconds. */
export interface Options {
  /** A token, or what gets a fresh one: asked before each connection and when the server says that one ends. */
  token?: string | ((reason: "connect" | "expiring" | "expired") => string | Promise<string>);
  /** The first wait before a reconnect is any time up to this (1000); the next up to twice that, and so on. */
  minDelay?: number;
  /** No such wait is longer (30000). */
  maxDelay?: number;
  /** For the token and the handshake together (15000). */
  connectTimeout?: number;
  /** Silence after which the client asks whether the server is there (25000). */
  pingInterval?: number;
  /** For the answer to that (10000). */
  pongTimeout?: number;
  /** Calls that may wait for their answers (256); more fail with `QUEUE_FULL`. */
  queue?: number;
  /** Bytes of the largest message (4096), as the server's setting of that name; larger fail with `PAYLOAD_TOO_LARGE`. */
  messageSize?: number;
  /** `typing` ends so long after its last call (4000). */
  typingIdle?: number;
  /** The class to use instead of the global one, such as `ws` of Node. */
  WebSocket?: any;
  /** For tests: time. */
  clock?: { setTimeout(run: () => void, ms: number): any; clearTimeout(timer: any): void; now(): number };
  /** For tests: chance, from 0 up to 1. */
  random?: () => number;
  /** For tests: where `online`, `offline` and `document` are, instead of the global object. */
  page?: any;
}

/** What was asked for and not done. `code` is one of docs/PROTOCOL.md's error codes or of docs/CLIENTS.md's. */
export declare class RoostError extends Error {
  constructor(code: string, message: string);
  code: string;
}

/** Whether to come back after a connection that ended with this close code. */
export declare function isWorthRetrying(code: number): boolean;

/**
 * Makes a client and connects it.
 *
 * @param url ws, wss, http or https; in a browser it may be relative to the page. `/ws` when missing.
 */
export declare function connect(url?: string | URL, options?: Options): RoostClient;

/**
 * A client, made by {@link connect}. It reconnects, comes back to its rooms, and sends again what was not acknowledged.
 *
 * Calls wait for their answers as long as it takes. Failures are `error` events too, but for what waits when one leaves or
 * closes, so promises need not be looked at.
 */
export declare class RoostClient {
  constructor(url: string | URL, options?: Options);

  /** What it is doing now; `state` events tell changes. */
  readonly state: State;

  /** Connects again after it was closed, to the same rooms and from where it was. */
  connect(): this;

  /** Ends the connection for good. What waits for an answer fails with `CLOSED`. */
  disconnect(): void;

  /** Calls `handler` with each message of a type, or with all of them (`*`). What it returns ends that. */
  on<T extends string>(type: T, handler: (message: Event<T>) => void): () => void;
  off(type: string, handler: (message: any) => void): void;

  /**
   * Joins a room, also after each reconnect, until `leaveRoom`. Asks anew if the client is in it.
   *
   * @param options `history`: so many of the last messages, up to 100, come as `new_message` first: on the first visit,
   *   and when what was missed cannot be recovered.
   */
  joinRoom(room: string, options?: { history?: number }): Promise<RoomInfo>;
  leaveRoom(room: string): Promise<Message>;

  /**
   * Sends to a room that was joined; the promise waits until the message is stored. A room's messages go one after the
   * other, so that their order holds whatever happens.
   *
   * @param content a text, sent as `{content}`; or any other JSON value, sent as it is.
   */
  sendMessage(room: string, content: any): Promise<Ack>;

  /** The user types: call it with each key. It is sent every 3 s, and ended when the calls end. */
  typing(room: string): void;
  stopTyping(room: string): void;

  /** Who is in a room, on all nodes. */
  onlineUsers(room: string): Promise<OnlineUsers>;

  /** The last messages of a room that was joined, 50 unless said, up to 100; or the last below an offset. */
  history(room: string, options?: { limit?: number; before?: number }): Promise<History>;

  /**
   * Sends to all connections of a user. Not stored. If the connection ends before the answer, nobody knows what became
   * of it, and it fails with `CONNECTION_LOST`.
   */
  sendPrivate(user: string | number, content: any): Promise<PrivateAck>;

  /** Sends to everybody, as `sendPrivate`; the token's role must be `admin`. */
  chat(content: any): Promise<Message>;
}
