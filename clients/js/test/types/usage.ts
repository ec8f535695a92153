// Compiled, never run: what an editor and TypeScript make of the client.
import { type Message, type RoomInfo, RoostClient, RoostError, connect, isWorthRetrying } from "../../roost.js";
import type * as made from "made/roost.js";
import type * as written from "../../roost.js";

// roost.d.ts promises nothing that tsc does not find in roost.js, and leaves nothing out.
export const kept = (module: typeof made): typeof written => module;
export const complete = (key: keyof typeof made): keyof typeof written => key;
export const members = (key: keyof made.RoostClient): keyof written.RoostClient => key;

export async function use(): Promise<number> {
  const roost: RoostClient = connect("/ws", { token: async (reason) => reason.toUpperCase(), maxDelay: 5_000 });
  const end: () => void = roost.on("new_message", (message: Message) => console.log(message.sender?.name));
  roost.on("*", ({ type, room }) => [type, room]);
  roost.on("state", ({ state, delay }) => (state === "waiting" ? delay : undefined));
  roost.on("error", ({ payload }) => payload.code.length + (payload.retry_after_ms ?? 0));
  roost.on("resync", ({ payload }) => payload.reason + payload.epoch);
  roost.on("room_info", ({ payload }) => payload.users.map(({ name }) => name));
  const info: RoomInfo = await roost.joinRoom("r", { history: 50 });
  const { offset, payload } = await roost.sendMessage("r", { any: ["JSON"] });
  const { messages } = (await roost.history("r", { limit: 10, before: offset })).payload;
  const { recipients } = (await roost.sendPrivate(7, "psst")).payload;
  end();
  if (!isWorthRetrying(4500)) roost.disconnect();
  try {
    await roost.leaveRoom("r");
  } catch (error) {
    if (error instanceof RoostError) console.log(error.code);
  }
  return info.payload.count + messages.length + recipients + (payload.message_id?.length ?? 0);
}

export function misuse(roost: RoostClient): void {
  // @ts-expect-error: a token is a text or a function
  connect("/ws", { token: 7 });
  // @ts-expect-error: no such option
  connect("/ws", { retries: 3 });
  // @ts-expect-error: errors have a code, not a status
  roost.on("error", ({ payload }) => payload.status);
  // @ts-expect-error: there is no such state
  roost.on("state", ({ state }) => state === "dead");
  // @ts-expect-error: it cannot be set
  roost.state = "open";
  // @ts-expect-error: a room's name is a text
  roost.joinRoom(7);
}
