// Tables and lists, and what can be done from them, never without asking.

import { $, avatar, counted, el, figure, reconcile, say } from "../dom.js";

const SHOWN_ROOMS = 12;

/**
 * Asks in a dialog; Escape and Cancel are no.
 *
 * @param {{title: string, text: string, yes: string}} words  @returns {Promise<boolean>}
 */
export function confirmed({ title, text, yes }) {
  const dialog = /** @type {HTMLDialogElement} */ ($("confirm"));
  say($("confirm-title"), title);
  say($("confirm-text"), text);
  say($("confirm-yes"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  $("confirm-no").focus();
  return new Promise((resolve) => {
    $("confirm-yes").onclick = () => dialog.close("yes");
    $("confirm-no").onclick = () => dialog.close();
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}

/** 3 d 4 h, 4 h 12 min, 12 min, 40 s. @param {number} seconds */
function span(seconds) {
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24];
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

/** @param {number} share  0 to 1 */
function bar(share) {
  const fill = el("span", { class: "fill" });
  fill.style.setProperty("--share", `${Math.round(share * 100)}%`);
  return el("span", { class: "track", "aria-hidden": "true" }, fill);
}

export class NodeTable {
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();

  /** @param {(node: string) => void} drain */
  constructor(drain) {
    this.drain = drain;
  }

  /** @param {any[]} nodes  @param {Map<string, number>} rates  messages a second */
  show(nodes, rates) {
    const all = nodes.reduce((sum, node) => sum + (node.connections ?? 0), 0);
    const rows = new Map(nodes.map((node) => [node.node, this.#row(node, all, rates.get(node.node))]));
    this.#rows = rows;
    reconcile($("nodes"), [...rows.values()]);
    const states = new Map();
    for (const { state } of nodes) states.set(state, (states.get(state) ?? 0) + 1);
    say($("node-count"), figure(nodes.length));
    say($("node-states"), [...states].map(([state, count]) => `${count} ${state}`).join(", "));
  }

  #row(node, all, rate) {
    const row = this.#rows.get(node.node) ?? el("tr", { "data-node": node.node },
      el("th", { scope: "row" }, node.node), ...Array.from({ length: 7 }, () => el("td")),
      el("td", {}, el("button", { class: "plain small", type: "button", "aria-label": `Drain ${node.node}`,
        onclick: () => this.drain(node.node) }, "Drain")));
    const [, state, share, messages, users, rooms, uptime, address, action] = row.children;
    const isKnown = node.connections !== undefined;
    state.replaceChildren(el("span", { class: "state", "data-state": node.state }, node.state));
    const part = all > 0 && isKnown ? node.connections / all : 0;
    share.replaceChildren(el("span", { class: "share" }, bar(part),
      el("span", {}, isKnown ? `${figure(node.connections)} · ${Math.round(part * 100)} %` : "–")));
    const numbers = [[messages, rate], [users, node.users], [rooms, node.rooms]];
    for (const [cell, value] of numbers) say(cell, value === undefined ? "–" : figure(value));
    say(uptime, node.uptime_seconds === undefined ? "–" : span(node.uptime_seconds));
    for (const cell of [messages, users, rooms, uptime]) cell.className = "number";
    say(address, isKnown ? `${node.address}, ${node.version}` : "–");
    action.firstElementChild.disabled = node.state === "draining";
    return row;
  }
}

export class RoomList {
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();

  /** @param {(room: string) => void} open */
  constructor(open) {
    this.open = open;
  }

  /** @param {{rooms: {room: string, count: number}[], isAll: boolean}} told */
  show({ rooms, isAll }) {
    const biggest = [...rooms].sort((one, other) => other.count - one.count).slice(0, SHOWN_ROOMS);
    const rows = new Map(biggest.map(({ room, count }) => {
      const row = this.#rows.get(room) ?? el("li", {},
        el("button", { type: "button", onclick: () => this.open(room) }, room), el("span"),
        el("span", { class: "count" }));
      row.children[1].replaceWith(bar(count / biggest[0].count));
      say(row.children[2], figure(count));
      return [room, row];
    }));
    this.#rows = rows;
    reconcile($("rooms"), [...rows.values()]);
    say($("rooms-note"), `${isAll ? "" : "the first "}${counted(rooms.length, "room")}`);
  }
}

/** @param {any} report */
export function showSlow(report) {
  say($("slow-note"), `on ${report.node}`);
  const rows = report.slowest.map((client) => el("li", {},
    el("span", { class: "text" }, `${client.address} (${client.connection})`),
    el("span", {}, `${figure(client.bytes / 1_024)} KiB, ${counted(client.messages, "message")}`)));
  const none = el("li", { class: "quiet-text" }, "Nothing waits for anybody.");
  $("slow").replaceChildren(...(rows.length > 0 ? rows : [none]));
}

/** @param {any} room  @param {(user: string, name: string) => void} disconnect */
export function showRoom(room, disconnect) {
  const dialog = /** @type {HTMLDialogElement} */ ($("room"));
  say($("room-title"), `# ${room.room}`);
  const place = room.offset === undefined ? "" : `, ${counted(room.offset, "message")} so far`;
  say($("room-note"), `${counted(room.count, "person", "people")}${place}`);
  $("room-members").replaceChildren(...room.members.map(({ id, name }) => el("li", {}, avatar(name),
    el("span", { class: "text" }, name === id ? name : `${name} (${id})`), disconnectButton(id, name, disconnect))));
  $("room-close").onclick = () => dialog.close();
  if (!dialog.open) dialog.showModal();
}

/** @param {any} user  @param {(user: string, name: string) => void} disconnect */
export function showUser(user, disconnect) {
  if (!user.online) return $("found").replaceChildren(el("p", { class: "quiet-text" }, `${user.user} is not online.`));
  const homes = user.nodes.filter(({ connections }) => connections > 0);
  const where = homes.map(({ node, connections }) => `${counted(connections, "connection")} on ${node}`).join(", ");
  $("found").replaceChildren(el("div", { class: "found-row" }, avatar(user.user),
    el("span", { class: "text" }, el("b", {}, user.user), el("br"), el("span", { class: "quiet-text" }, where)),
    disconnectButton(user.user, user.user, disconnect)));
}

/** @param {string} id  @param {string} name  @param {(user: string, name: string) => void} disconnect */
function disconnectButton(id, name, disconnect) {
  return el("button", { class: "plain small", type: "button", "aria-label": `Disconnect ${name}`,
    onclick: () => disconnect(id, name) }, "Disconnect");
}
