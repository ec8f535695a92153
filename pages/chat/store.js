// What is known of rooms and of people one writes to: who is there, what was said, in which order. Shows nothing.

/**
 * @typedef {object} Item  one line of a conversation
 * @property {"message" | "event" | "gap"} kind
 * @property {number[]} place  where it stands: generation of the room's numbers, number, arrival after that number
 * @property {string} text
 * @property {Date} time
 * @property {{id: string, name: string}} [sender]
 * @property {number} [offset]
 * @property {boolean} [isOwn]
 * @property {boolean} [waits]  sent, and not acknowledged yet
 * @property {string} [failed]  why it was not sent
 * @property {string} [note]
 * @property {HTMLElement} [node]  as the log shows it
 */

const MOST_ITEMS = 1_500;
const LAST = Number.MAX_SAFE_INTEGER;

/** The text of a payload, whatever it is. @param {any} payload */
export function textOf(payload) {
  if (typeof payload === "string") return payload;
  return typeof payload?.content === "string" ? payload.content : JSON.stringify(payload);
}

export class Conversation {
  /** @type {Item[]} */ items = [];
  /** @type {Map<string, {id: string, name: string}>} */ members = new Map();
  /** @type {Map<string, {name: string, until: number}>} */ typists = new Map();
  count = 0;
  unread = 0;
  hasEarlier = false;
  isLoading = false;
  /** @type {string | undefined} */ epoch;
  #generation = 0;
  #highest = 0;
  #arrivals = 0;

  /** @param {"room" | "user"} kind  @param {string} id  @param {string} [title] */
  constructor(kind, id, title = id) {
    Object.assign(this, { kind, id, title });
  }

  /** The lowest number of the current run of numbers that is here, to ask for what was before. */
  get lowest() {
    return this.items.find((item) => item.offset !== undefined && item.place[0] === this.#generation)?.offset;
  }

  /** Numbers begin anew: what is here stays above. @param {string} [epoch] */
  follow(epoch) {
    if (this.epoch !== undefined && epoch !== undefined && epoch !== this.epoch) {
      this.#generation += 1;
      this.#highest = 0;
      this.hasEarlier = false;
    }
    this.epoch = epoch ?? this.epoch;
  }

  /** @param {Omit<Item, "place">} item */
  add(item) {
    const made = /** @type {Item} */ ({ ...item, place: this.#placeOf(item) });
    this.#insert(made);
    if (this.items.length > MOST_ITEMS) {
      this.items.splice(0, this.items.length - MOST_ITEMS);
      this.hasEarlier = this.kind === "room";
    }
    return made;
  }

  /** A message of our own got its number, or its end. @param {Item} item  @param {Partial<Item>} news */
  settle(item, news) {
    this.items = this.items.filter((other) => other !== item);
    Object.assign(item, { waits: false }, news);
    item.place = this.#placeOf(item);
    this.#insert(item);
  }

  /** Older messages, as `history` has them. @param {any[]} messages  @param {string} me */
  addEarlier(messages, me) {
    const known = new Set(this.items.filter((item) => item.place[0] === this.#generation).map((item) => item.offset));
    for (const message of messages) if (!known.has(message.offset)) this.#insert(this.#told(message, me));
  }

  /** A room's message that was just heard. @param {any} message  @param {string} me */
  hear(message, me) {
    const item = this.#told(message, me);
    this.#insert(item);
    if (message.sender) this.typists.delete(message.sender.id);
    return item;
  }

  /** Who is there, as the server told. @param {{users: any[], count: number}} told */
  meet({ users, count }) {
    this.members = new Map(users.map((user) => [user.id, user]));
    this.count = count;
  }

  /** @param {{id: string, name: string}} user  @param {boolean} isHere  @returns {boolean} whether that is news */
  note(user, isHere) {
    if (this.members.has(user.id) === isHere) return false;
    if (isHere) this.members.set(user.id, user);
    else this.members.delete(user.id);
    this.count = Math.max(this.members.size, this.count + (isHere ? 1 : -1));
    if (!isHere) this.typists.delete(user.id);
    return true;
  }

  /** @param {any} message  @param {string} me  @returns {Item} */
  #told(message, me) {
    const item = {
      ...{ kind: "message", text: textOf(message.payload), time: new Date(message.timestamp ?? Date.now()) },
      ...{ sender: message.sender ?? { id: "", name: "a backend" }, offset: message.offset },
      isOwn: message.sender?.id === me,
      note: message.degraded ? "only on this node, not stored" : undefined,
    };
    return /** @type {Item} */ ({ ...item, place: this.#placeOf(item) });
  }

  /** @param {{offset?: number, waits?: boolean, failed?: string}} item */
  #placeOf({ offset, waits }) {
    this.#arrivals += 1;
    if (waits) return [LAST, LAST, this.#arrivals];
    if (offset === undefined) return [this.#generation, this.#highest, this.#arrivals];
    this.#highest = Math.max(this.#highest, offset);
    return [this.#generation, offset, 0];
  }

  /** Nearly always at the end. @param {Item} item */
  #insert(item) {
    let index = this.items.length;
    while (index > 0 && isBefore(item.place, this.items[index - 1].place)) index -= 1;
    this.items.splice(index, 0, item);
  }
}

/** @param {number[]} one  @param {number[]} other */
function isBefore(one, other) {
  const differing = one.findIndex((number, index) => number !== other[index]);
  return differing >= 0 && one[differing] < other[differing];
}
