// The chat page: the client's events change conversations, and conversations are shown.

import { connect } from "/client.js";
import { $, avatar, el } from "../dom.js";
import { Composer } from "./composer.js";
import { askVisitor, forgetVisitor, holderOf, isDevelopment, knownVisitor, tokenOf } from "./entry.js";
import { Log } from "./log.js";
import { Side, watchPanels } from "./side.js";
import { Conversation, textOf } from "./store.js";

const PAGE = 50; // messages at once
const TYPING_MILLISECONDS = 7_000; // the server ends it after 6 s: this is for when we do not hear that
const TRIES = 3; // before the entry is offered again to somebody who never got in

/** @type {Map<string, Conversation>} */ const conversations = new Map();
/** @type {Conversation | undefined} */ let current;
/** @type {ReturnType<typeof connect>} */ let client;
let me = { id: "", name: "" };

const hidePanels = watchPanels();
const side = new Side({ open, write: (user) => open(direct(user)) });
const log = new Log(loadEarlier);
const composer = new Composer({
  send,
  typing: () => current?.kind === "room" && client.typing(current.id),
  stopTyping: () => current?.kind === "room" && client.stopTyping(current.id),
});

const keyOf = (kind, id) => `${kind} ${id}`;

// What the user does

function open(conversation) {
  if (current?.kind === "room") client.stopTyping(current.id);
  current = conversation;
  conversation.unread = 0;
  composer.show(keyOf(conversation.kind, conversation.id), conversation.title);
  draw();
  log.show(conversation);
  hidePanels();
  composer.focus();
}

function direct(user) {
  const key = keyOf("user", user.id);
  if (!conversations.has(key)) conversations.set(key, new Conversation("user", user.id, user.name));
  return /** @type {Conversation} */ (conversations.get(key));
}

async function enterRoom(name) {
  const key = keyOf("room", name);
  const known = conversations.get(key);
  if (known) return open(known);
  const room = new Conversation("room", name);
  conversations.set(key, room);
  open(room);
  try {
    await client.joinRoom(name, { history: PAGE });
  } catch (error) {
    conversations.delete(key);
    if (current === room) leaveTo();
    if (current) tell(current, `${name}: ${error.message}`, "gap");
  }
}

function leaveTo() {
  const [next] = conversations.values();
  current = undefined;
  if (next) open(next);
  else draw();
}

function leaveRoom() {
  if (current?.kind !== "room") return;
  client.leaveRoom(current.id);
  conversations.delete(keyOf("room", current.id));
  leaveTo();
}

async function send(text) {
  const conversation = current;
  if (!conversation) return;
  const item = conversation.add({ kind: "message", text, time: new Date(), sender: me, isOwn: true, waits: true });
  log.update(true);
  try {
    const isRoom = conversation.kind === "room";
    const ack = await (isRoom ? client.sendMessage(conversation.id, text) : client.sendPrivate(conversation.id, text));
    const isMissed = !isRoom && ack.payload.recipients === 0;
    if (isRoom) conversation.follow(ack.payload.epoch);
    conversation.settle(item, { offset: ack.offset, failed: isMissed ? "Not online: nobody got it." : undefined });
    if (ack.offset !== undefined && item.node) item.node.dataset.offset = String(ack.offset);
  } catch (error) {
    conversation.settle(item, { failed: `Not sent: ${error.message}` });
  }
  if (conversation === current) log.update(true);
}

async function loadEarlier(room) {
  const before = room.lowest;
  if (room.isLoading || room.kind !== "room" || before === undefined) return;
  room.isLoading = true;
  try {
    const { payload } = await client.history(room.id, { limit: PAGE, before });
    room.hasEarlier = payload.messages.length === PAGE && payload.messages[0].offset > 1;
    if (payload.epoch === room.epoch) room.addEarlier(payload.messages, me.id);
  } catch {
    // The button is still there.
  }
  room.isLoading = false;
  if (room === current) log.updateAbove();
}

// What the server says

function tell(conversation, text, kind = "event") {
  conversation.add({ kind, text, time: new Date() });
  if (conversation === current) log.update();
}

function heard(conversation, item) {
  const isSeen = conversation === current && !document.hidden;
  if (!isSeen && !item.isOwn) conversation.unread += 1;
  if (conversation === current) log.update();
  draw();
}

function whereabouts(message) {
  return conversations.get(keyOf("room", message.room ?? message.payload?.room_id ?? ""));
}

/** Events that concern a room we are in. */
const inRooms = {
  room_info(room, { payload }) {
    const isFirst = room.epoch === undefined;
    room.follow(payload.epoch);
    room.meet(payload);
    room.typists.clear();
    if (isFirst) room.hasEarlier = payload.offset > 0;
  },
  new_message(room, message) {
    heard(room, room.hear(message, me.id));
    room.hasEarlier &&= room.lowest !== 1;
  },
  user_joined(room, { sender }) {
    if (room.note(sender, true) && sender.id !== me.id) tell(room, `${sender.name} came in`);
  },
  user_left(room, { sender }) {
    if (room.note(sender, false)) tell(room, `${sender.name} left`);
  },
  user_typing(room, { sender }) {
    if (sender.id === me.id) return;
    room.typists.set(sender.id, { name: sender.name, until: Date.now() + TYPING_MILLISECONDS });
  },
  user_stopped_typing(room, { sender }) {
    room.typists.delete(sender.id);
  },
  presence_sync(room, { payload }) {
    room.count = payload.count;
  },
  resync(room, { payload }) {
    room.follow(payload.epoch);
    tell(room, "Something may be missing here", "gap");
  },
};

/** Events for this user, or for everybody. */
const forMe = {
  private(message) {
    const user = message.sender ?? { id: "", name: "a backend" };
    if (user.id === me.id) return;
    const conversation = direct(user);
    heard(conversation, conversation.hear({ ...message, offset: undefined }, me.id));
  },
  chat: (message) => current && tell(current, `${message.sender?.name ?? "Everybody"}: ${textOf(message.payload)}`),
  notification: ({ payload }) => current && tell(current, `${payload.title}: ${payload.body}`),
  relay_status: ({ payload }) => showState(payload.degraded ? "waiting" : "open", payload.degraded),
  state: ({ state, delay, code, reason }) => changed(state, delay, code, reason),
};

let wasOpen = false;
let failures = 0;
let isDegraded = false;

function showState(state, degraded = isDegraded, delay = 0) {
  isDegraded = degraded;
  const seconds = Math.ceil(delay / 1_000);
  const words = {
    connecting: wasOpen ? "Reconnecting…" : "Connecting…",
    open: degraded ? "Connected, but messages wait" : "Connected",
    waiting: seconds > 1 ? `Reconnecting in ${seconds} s` : "Reconnecting…",
    closed: "Disconnected",
  };
  side.connection(degraded && state === "open" ? "waiting" : state, words[state]);
}

/** Why a connection is over for good, by its close code. */
const ENDS = {
  4001: "Your token has ended: a new one is needed.",
  4500: "You were disconnected by the service",
  4501: "Your token was revoked: a new one is needed.",
};

function changed(state, delay, code, reason) {
  if (state === "open") [wasOpen, failures, isDegraded] = [true, 0, false];
  if (state === "waiting" && !wasOpen) failures += 1;
  for (const room of conversations.values()) room.typists.clear();
  showState(state, isDegraded, delay);
  side.typing(current);
  if (state === "closed" && code !== 1000) return begin(endOf(code, reason));
  if (failures === TRIES) begin("The server lets nobody in: the token may be wrong, the page not among its origins, or no node there.");
}

function endOf(code, reason) {
  if (code === 4500) return reason ? `${ENDS[code]}: ${reason}` : `${ENDS[code]}.`;
  return ENDS[code] ?? `The connection was closed (${code}).`;
}

function draw() {
  const all = [...conversations.values()];
  side.conversations(all, current);
  side.people(current, me.id);
  side.typing(current);
  const unread = all.reduce((sum, one) => sum + one.unread, 0);
  document.title = unread > 0 ? `(${unread}) Roost` : "Roost";
}

// From the beginning

async function begin(trouble = "") {
  client?.disconnect();
  const byName = await development;
  if (trouble) forgetVisitor();
  const visitor = knownVisitor() ?? await askVisitor(byName, trouble);
  conversations.clear();
  [current, wasOpen, failures] = [undefined, false, 0];
  me = visitor.token ? holderOf(visitor.token) : { id: visitor.name ?? "", name: visitor.name ?? "" };
  $("me").replaceChildren(avatar(me.name), el("span", { class: "text" }, me.name));
  $("entry").hidden = true;
  $("chat").hidden = false;
  const made = connect("/ws", { token: () => tokenOf(visitor) });
  client = made;
  made.on("*", (message) => made === client && receive(message));
  showState(made.state);
  enterRoom(visitor.room);
}

function receive(message) {
  forMe[message.type]?.(message);
  const room = whereabouts(message);
  if (!room || !inRooms[message.type]) return;
  inRooms[message.type](room, message);
  if (message.type !== "new_message") draw();
}

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ ($("join-name"));
  enterRoom(field.value);
  field.value = "";
});
$("leave-room").addEventListener("click", leaveRoom);
$("leave").addEventListener("click", () => {
  forgetVisitor();
  location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !current) return;
  current.unread = 0;
  draw();
});
setInterval(() => {
  for (const room of conversations.values()) {
    for (const [id, typist] of room.typists) if (typist.until < Date.now()) room.typists.delete(id);
  }
  side.typing(current);
}, 1_000);

const development = isDevelopment();
development.then((isOn) => { $("development").hidden = !isOn; });
begin();
