// What stands beside the log: conversations, people, who types, how the connection is.

import { $, avatar, counted, el, reconcile, say } from "../dom.js";

/** @typedef {import("./store.js").Conversation} Conversation */

/** Panels that a narrow screen shows on demand. */
export function watchPanels() {
  const panels = ["conversations", "people"].map((name) => ({ panel: $(name), button: $(`show-${name}`) }));
  const show = (wanted) => {
    for (const { panel, button } of panels) {
      const isShown = panel === wanted && !panel.classList.contains("is-shown");
      panel.classList.toggle("is-shown", isShown);
      button.setAttribute("aria-expanded", String(isShown));
      if (isShown) panel.querySelector("button, input")?.focus();
    }
  };
  for (const { panel, button } of panels) button.addEventListener("click", () => show(panel));
  const isOpen = () => panels.find(({ panel }) => panel.classList.contains("is-shown"));
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && isOpen();
    if (!open) return;
    show(undefined);
    open.button.focus();
  });
  document.addEventListener("click", (event) => {
    const open = isOpen();
    if (!open || !(event.target instanceof Node)) return;
    if (!open.panel.contains(event.target) && !open.button.contains(event.target)) show(undefined);
  });
  return () => show(undefined);
}

/** Buttons by key, so that the focus stays where it is when a list is drawn anew. */
class Rows {
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();

  /** @param {string} list */
  constructor(list) {
    this.list = $(list);
  }

  /** @param {{key: string, make: () => HTMLElement, update: (row: HTMLElement) => void}[]} wanted */
  show(wanted) {
    const rows = new Map(wanted.map(({ key, make, update }) => {
      const row = this.#rows.get(key) ?? el("li", {}, make());
      update(/** @type {HTMLElement} */ (row.firstElementChild));
      return [key, row];
    }));
    this.#rows = rows;
    reconcile(this.list, [...rows.values()]);
  }
}

export class Side {
  #rooms = new Rows("rooms");
  #direct = new Rows("direct");
  #members = new Rows("members");

  /**
   * @param {object} actions
   * @param {(conversation: Conversation) => void} actions.open
   * @param {(user: {id: string, name: string}) => void} actions.write
   */
  constructor(actions) {
    this.actions = actions;
  }

  /** @param {Conversation[]} all  @param {Conversation | undefined} current */
  conversations(all, current) {
    const rows = (kind, sign) => all.filter((one) => one.kind === kind).map((one) => ({
      key: one.id,
      make: () => el("button", { class: "row", type: "button", onclick: () => this.actions.open(one) },
        sign(one), el("span", { class: "text" }, one.title), el("span", { class: "unread", hidden: true })),
      update: (row) => {
        row.setAttribute("aria-current", String(one === current));
        const unread = row.querySelector(".unread");
        unread.hidden = one.unread === 0;
        say(unread, one.unread > 99 ? "99+" : String(one.unread));
        unread.setAttribute("title", counted(one.unread, "unread message"));
      },
    }));
    this.#rooms.show(rows("room", () => el("span", { class: "sign", "aria-hidden": "true" }, "#")));
    this.#direct.show(rows("user", (one) => avatar(one.title)));
    $("direct-none").hidden = all.some((one) => one.kind === "user");
  }

  /** @param {Conversation | undefined} current  @param {string} me */
  people(current, me) {
    const isRoom = current?.kind === "room";
    $("people").hidden = $("show-people").hidden = !isRoom;
    const users = isRoom ? [...current.members.values()] : [];
    users.sort((one, other) => Number(other.id === me) - Number(one.id === me) || one.name.localeCompare(other.name));
    this.#members.show(users.map((user) => ({
      key: `${user.id} ${user.name}`,
      make: () => this.#person(user, user.id === me),
      update: () => {},
    })));
    const more = (current?.count ?? 0) - users.length;
    $("members-more").hidden = !isRoom || more <= 0;
    say($("members-more"), `and ${counted(more, "other")}`);
    if (current) say($("title"), isRoom ? `# ${current.title}` : current.title);
    const here = () => `${counted(current.count, "person", "people")} here`;
    say($("subtitle"), isRoom ? here() : "Direct messages are not stored");
    $("leave-room").hidden = !isRoom;
  }

  /** @param {{id: string, name: string}} user  @param {boolean} isMe */
  #person(user, isMe) {
    const text = el("span", { class: "text" }, user.name);
    if (isMe) return el("span", { class: "row" }, avatar(user.name), text, el("span", { class: "hint" }, "you"));
    const label = `${user.name}: write a direct message`;
    return el("button", { class: "row", type: "button", title: "Direct message", "aria-label": label,
      onclick: () => this.actions.write(user) }, avatar(user.name), text);
  }

  /** @param {Conversation | undefined} current */
  typing(current) {
    const names = [...(current?.typists.values() ?? [])].map((typist) => typist.name);
    const text = names.length === 0 ? ""
      : names.length === 1 ? `${names[0]} is typing…`
      : names.length === 2 ? `${names[0]} and ${names[1]} are typing…`
      : `${names.length} people are typing…`;
    say($("typing"), text);
  }

  /** @param {string} state  @param {string} text */
  connection(state, text) {
    $("state").dataset.state = state;
    say($("state"), text);
  }
}
