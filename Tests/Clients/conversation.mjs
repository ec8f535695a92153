// One side of the conversation for the clients of Node: they differ in how they connect, not in what they say.
import { createInterface } from "node:readline";

export const talk = JSON.parse(process.argv[2]);

const frames = [];
const waiting = new Set();
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function require(condition, complaint) {
  if (!condition) throw new Error(complaint);
}

export function received(text) {
  const frame = JSON.parse(text);
  require(frame.type !== "error", `the server answered with an error: ${text}`);
  frames.push([frame, text]);
  for (const wake of waiting) wake();
}

/** The first frame that `wanted` accepts, whatever came before it. */
async function expect(what, wanted) {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const index = frames.findIndex(([frame]) => wanted(frame));
    if (index >= 0) return frames.splice(index, 1)[0];
    const seen = frames.map(([, text]) => text).join("\n  ");
    require(Date.now() < deadline, `never saw ${what}; waiting to be asked for:\n  ${seen}`);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, deadline - Date.now());
      const wake = () => (clearTimeout(timer), waiting.delete(wake), resolve());
      waiting.add(wake);
    });
  }
}

const fromPeer = (type) => (frame) => frame.type === type && frame.sender.id === talk.peer;
const ackOf = (id) => (frame) => frame.type === "ack" && frame.id === id;

async function join(say) {
  say({ type: "join_room", payload: { room_id: talk.room }, id: "join" });
  const [info, text] = await expect("room_info", (frame) => frame.type === "room_info");
  const users = info.payload.users.map((user) => user.id);
  require(users.includes(talk.me), `room_info without the joiner: ${text}`);
  require(info.payload.count === users.length, `room_info counts wrongly: ${text}`);
  require(talk.first ? users.length === 1 : users.includes(talk.peer), `room_info names the wrong users: ${text}`);
}

async function exchange(send) {
  // What a client says about sender, time and order is not to be believed, and payload bytes not to be touched.
  send(
    `{"type":"send_message","room":"${talk.room}","id":"${talk.message_id}","sender":{"id":"0","name":"liar"},` +
      `"timestamp":"never","offset":7,"payload":${talk.payload}}`,
  );
  const [ack, ackText] = await expect("ack", ackOf(talk.message_id));
  const { message_id, epoch, dup } = ack.payload;
  require([1, 2].includes(ack.offset) && message_id && epoch, `ack without its place: ${ackText}`);
  require(ack.room === talk.room && !dup, `not a first message of this room: ${ackText}`);
  const [message, text] = await expect("new_message", fromPeer("new_message"));
  require(text.includes(`"payload":${talk.peer_payload}`), `payload was touched: ${text}`);
  require(message.sender.name === talk.peer_name, `name is not the token's: ${text}`);
  require(message.room === talk.room, `wrong room: ${text}`);
  require(message.offset + ack.offset === 3, `offsets do not share one order: ${ackText} ${text}`);
}

async function typeAndStop(say) {
  say({ type: "typing", room: talk.room });
  await expect("user_typing", fromPeer("user_typing"));
  say({ type: "stop_typing", room: talk.room });
  await expect("user_stopped_typing", fromPeer("user_stopped_typing"));
}

async function whisper(say) {
  say({ type: "private", recipient_id: Number(talk.peer), id: "private", payload: { psst: talk.me } });
  const [ack, ackText] = await expect("ack of private", ackOf("private"));
  require(ack.payload.recipients === 1, `private reached the wrong number: ${ackText}`);
  const [frame, text] = await expect("private", fromPeer("private"));
  require(frame.sender_id === Number(talk.peer), `sender_id is not a number: ${text}`);
  require(frame.payload.psst === talk.peer, `wrong private payload: ${text}`);
}

async function leave(say) {
  if (talk.first) {
    say({ type: "leave_room", payload: { room_id: talk.room }, id: "leave" });
    await expect("ack of leave", ackOf("leave"));
  } else {
    await expect("user_left", fromPeer("user_left"));
  }
  require(!frames.some(([frame]) => frame.type === "new_message"), `surprise: ${JSON.stringify(frames)}`);
}

/** Runs the whole conversation over an open socket and ends the process with its outcome. */
export async function converse(send, close) {
  const say = (envelope) => send(JSON.stringify(envelope));
  await join(say);
  console.log("joined");
  const { value } = await lines.next();
  require(value === "go", `the driver said ${value} instead of go`);
  if (talk.first) await expect("user_joined", fromPeer("user_joined"));
  await exchange(send);
  await typeAndStop(say);
  await whisper(say);
  say({ type: "ping", id: "ping" });
  await expect("pong", (frame) => frame.type === "pong");
  await leave(say);
  const code = await close();
  require(code === 1000, `closed with ${code}`);
  console.log("done");
  process.exit(0);
}

process.on("unhandledRejection", (error) => {
  console.error(error);
  process.exit(1);
});
