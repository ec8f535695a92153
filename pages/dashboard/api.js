// Roost's API as this page uses it. The key is in a header of each call, and in this tab's memory.

const KEPT = "roost.dashboard";
const PATIENCE = 5_000;

export class Refused extends Error {
  /** @param {number} status  @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** The key is not good, or not an admin's. */
  get isKey() {
    return this.status === 401 || this.status === 403;
  }
}

export const keptKey = () => sessionStorage.getItem(KEPT) ?? "";

/** @param {string} key  empty: forget it */
export function keepKey(key) {
  if (key) sessionStorage.setItem(KEPT, key);
  else sessionStorage.removeItem(KEPT);
}

export class API {
  #key;

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
  }

  nodes = () => this.#json("/api/nodes");
  slow = () => this.#json("/api/slow");
  room = (name) => this.#json(`/api/rooms/${encodeURIComponent(name)}`);
  user = (id) => this.#json(`/api/users/${encodeURIComponent(id)}`);
  online = () => this.#json("/ws/online?verbose");
  drain = (node) => this.#json(`/api/nodes/${encodeURIComponent(node)}/drain`, "POST");
  disconnect = (user) => this.#json(`/api/users/${encodeURIComponent(user)}/disconnect`, "POST");

  async metrics() {
    return (await this.#ask("/metrics", "GET")).text();
  }

  /** Rooms by name, up to `pages` times 200. @param {number} pages */
  async rooms(pages) {
    const rooms = [];
    let after = "";
    for (let page = 0; page < pages; page += 1) {
      const answer = await this.#json(`/api/rooms?limit=200${after && `&after=${encodeURIComponent(after)}`}`);
      rooms.push(...answer.rooms);
      after = answer.next;
      if (!after) return { rooms, isAll: true };
    }
    return { rooms, isAll: false };
  }

  /** @param {string} path  @param {string} [method] */
  async #json(path, method = "GET") {
    return (await this.#ask(path, method)).json();
  }

  /** @param {string} path  @param {string} method */
  async #ask(path, method) {
    const answer = await fetch(path, {
      ...{ method, cache: "no-store", credentials: "omit", redirect: "error" },
      headers: { Authorization: `Bearer ${this.#key}` },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, said.error ?? `status ${answer.status}`);
  }
}
