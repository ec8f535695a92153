// The log of one conversation: groups, days, what waits; keeps its place while older messages come in above.

import { $, avatar, el, reconcile, say } from "../dom.js";

/** @typedef {import("./store.js").Conversation} Conversation  @typedef {import("./store.js").Item} Item */

const GROUP_MILLISECONDS = 300_000;
const NEAR = 90; // pixels from an end that count as being there
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export class Log {
  #box = $("log");
  #list = $("messages");
  #earlier = $("earlier");
  #newest = $("newest");
  /** @type {Conversation | undefined} */ #shown;
  /** @type {Map<string, HTMLElement>} */ #dayNodes = new Map();
  #isAtEnd = true;

  /** @param {(conversation: Conversation) => void} loadEarlier */
  constructor(loadEarlier) {
    const load = () => this.#shown && loadEarlier(this.#shown);
    this.#earlier.addEventListener("click", load);
    this.#newest.addEventListener("click", () => this.#toEnd());
    this.#box.addEventListener("scroll", () => {
      this.#isAtEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR;
      if (this.#isAtEnd) this.#newest.hidden = true;
      if (this.#box.scrollTop < NEAR && this.#shown?.hasEarlier) load();
    }, { passive: true });
    new ResizeObserver(() => this.#isAtEnd && this.#toEnd()).observe(this.#box);
  }

  /** Another conversation, from its end. A reader of the screen need not hear all of it. @param {Conversation} shown */
  show(shown) {
    const isOther = this.#shown !== shown;
    this.#shown = shown;
    if (!isOther) return this.update();
    this.#dayNodes.clear();
    this.#quietly(() => this.#draw());
    this.#box.setAttribute("aria-label", `Messages in ${shown.title}`);
    this.#toEnd();
  }

  /** Something is new in what is shown. @param {boolean} [isOwn]  our own, so we want to see it */
  update(isOwn = false) {
    const wasAtEnd = this.#isAtEnd;
    const last = this.#list.lastElementChild;
    this.#draw();
    if (wasAtEnd || isOwn) this.#toEnd();
    else if (this.#list.lastElementChild !== last) this.#newest.hidden = false;
  }

  /** Older messages came: what was on the screen stays where it was. */
  updateAbove() {
    const height = this.#box.scrollHeight;
    const top = this.#box.scrollTop;
    this.#quietly(() => this.#draw());
    this.#box.scrollTop = top + this.#box.scrollHeight - height;
  }

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#isAtEnd = true;
    this.#newest.hidden = true;
  }

  /** @param {() => void} draw */
  #quietly(draw) {
    this.#box.setAttribute("aria-live", "off");
    draw();
    requestAnimationFrame(() => this.#box.setAttribute("aria-live", "polite"));
  }

  #draw() {
    const shown = this.#shown;
    if (!shown) return;
    /** @type {HTMLElement[]} */ const nodes = [];
    /** @type {Item | undefined} */ let before;
    let day = "";
    for (const item of shown.items) {
      const itsDay = days.format(item.time);
      if (itsDay !== day) {
        day = itsDay;
        before = undefined;
        nodes.push(this.#dayNode(day));
      }
      nodes.push(item.kind === "message" ? messageNode(item, before) : eventNode(item));
      before = item.kind === "message" ? item : undefined;
    }
    reconcile(this.#list, nodes);
    this.#earlier.hidden = !shown.hasEarlier;
    this.#earlier.disabled = shown.isLoading;
  }

  /** @param {string} day */
  #dayNode(day) {
    const node = this.#dayNodes.get(day) ?? el("li", { class: "day" }, day);
    this.#dayNodes.set(day, node);
    return node;
  }
}

/** @param {Item} item  @param {Item} [before] */
function messageNode(item, before) {
  const node = (item.node ??= newMessage(item));
  const goesOn = before?.sender?.id === item.sender?.id && !before?.note && !item.note &&
    item.time.getTime() - (before?.time.getTime() ?? 0) < GROUP_MILLISECONDS;
  node.classList.toggle("goes-on", goesOn);
  node.classList.toggle("waits", Boolean(item.waits));
  const parts = [item.isOwn && item.waits ? "sending" : "", item.note ?? ""].filter(Boolean);
  say(/** @type {Element} */ (node.querySelector(".note")), parts.join(", "));
  say(/** @type {Element} */ (node.querySelector(".failed")), item.failed ?? "");
  return node;
}

/** @param {Item} item */
function newMessage(item) {
  const name = item.sender?.name ?? "";
  const by = el("p", { class: "by" }, el("b", {}, name),
    el("time", { datetime: item.time.toISOString() }, clock.format(item.time)), el("span", { class: "note" }));
  const node = el("li", { class: "message" }, avatar(name), by, el("p", { class: "said" }, item.text),
    el("p", { class: "failed" }));
  if (item.offset !== undefined) node.dataset.offset = String(item.offset);
  return node;
}

/** @param {Item} item */
function eventNode(item) {
  item.node ??= el("li", { class: item.kind === "gap" ? "event gap-in-log" : "event" }, item.text);
  return item.node;
}
