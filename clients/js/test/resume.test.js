import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { World, message, settled } from "./support/fakes.js";

const since = (world) => world.socket.last("join_room").payload.since;

describe("coming back", () => {
  test("names the highest offset that was heard", async () => {
    const world = await World.in(5);
    await world.socket.say(message(6), message(7));
    await world.reconnected();
    assert.deepEqual(since(world), { epoch: "e1", offset: 7 });
    await world.socket.admit(7, { recovered: true });
    await world.socket.say(message(8), message(9), message(10));
    assert.deepEqual(world.offsets, [6, 7, 8, 9, 10]);
    assert.equal(world.of("resync").length, 0);
  });

  test("counts acks, but none with dup", async () => {
    const world = await World.in(0);
    world.client.sendMessage("r", "a");
    await world.socket.ack(world.socket.last("send_message"), 3);
    world.client.sendMessage("r", "b");
    await world.socket.ack(world.socket.last("send_message"), 9, { dup: true });
    await world.reconnected();
    assert.deepEqual(since(world), { epoch: "e1", offset: 3 });
  });

  test("does not count an ack of another epoch", async () => {
    const world = await World.in(0);
    world.client.sendMessage("r", "a");
    await world.socket.ack(world.socket.last("send_message"), 3, { epoch: "e0" });
    await world.reconnected();
    assert.deepEqual(since(world), { epoch: "e1", offset: 0 });
  });

  test("does not name a place when there was none", async () => {
    const world = await new World().opened();
    world.client.joinRoom("r", { history: 20 });
    assert.deepEqual(world.socket.last("join_room").payload, { room_id: "r", history: 20 });
    await world.reconnected();
    assert.deepEqual(world.socket.last("join_room").payload, { room_id: "r", history: 20 });
    assert.equal(world.socket.all("join_room").length, 1);
  });

  test("joins each room once, wherever the last connection stopped", async () => {
    const world = await World.in(4);
    world.client.joinRoom("other");
    await world.reconnected();
    await world.reconnected();
    const joins = world.socket.all("join_room").map(({ payload }) => payload);
    assert.deepEqual(joins, [{ room_id: "other" }, { room_id: "r", since: { epoch: "e1", offset: 4 } }]);
  });

  test("hands out nothing twice, and nothing before it is in", async () => {
    const world = await World.in(0);
    await world.socket.say(message(1), message(2), message(2), message(1));
    await world.reconnected();
    await world.socket.say(message(3));
    await world.socket.admit(2, { recovered: true });
    await world.socket.say(message(3), message(4));
    assert.deepEqual(world.offsets, [1, 2, 3, 4]);
  });

  test("tells what could not be recovered, and goes on from there", async () => {
    const world = await World.in(5);
    await world.reconnected();
    await world.socket.admit(400, { recovered: false, reason: "too_far" });
    const [resync] = world.of("resync");
    assert.equal(resync.room, "r");
    assert.equal(resync.payload.reason, "too_far");
    await world.socket.say(message(401));
    await world.reconnected();
    assert.deepEqual(since(world), { epoch: "e1", offset: 401 });
  });

  test("knows a message again that got a new place in a new epoch", async () => {
    const world = await World.in(0);
    await world.socket.say(message(1, { id: "a" }), message(2, { id: "b" }));
    await world.reconnected();
    await world.socket.admit(0, { recovered: false, reason: "epoch_changed" }, "e2");
    await world.socket.say(message(1, { id: "b" }), message(2, { id: "c" }));
    assert.deepEqual(world.of("new_message").map(({ id }) => id), ["a", "b", "c"]);
    await world.reconnected();
    assert.deepEqual(since(world), { epoch: "e2", offset: 2 });
  });

  test("remembers a bounded number of ids", async () => {
    const world = await World.in(0);
    for (let offset = 1; offset <= 3_000; offset++) await world.socket.say(message(offset));
    await world.socket.say(message(3_001, { id: "s1" }), message(3_002, { id: "s3000" }));
    assert.deepEqual(world.offsets.slice(-2), [3_000, 3_001]);
  });

  test("takes the server's resync for its place, also a lower one", async () => {
    const world = await World.in(50);
    const payload = { room_id: "r", epoch: "e2", offset: 3, reason: "epoch_changed" };
    await world.socket.say({ type: "resync", room: "r", payload }, message(4));
    assert.deepEqual(world.offsets, [4]);
    assert.equal(world.of("resync").length, 1);
    await world.reconnected();
    assert.deepEqual(since(world), { epoch: "e2", offset: 4 });
  });

  test("fills what a slow client was not sent", async () => {
    const world = await World.in(0);
    await world.socket.say(message(1));
    const payload = { room_id: "r", epoch: "e1", offset: 4, reason: "slow_consumer" };
    await world.socket.say({ type: "resync", room: "r", payload });
    assert.deepEqual(since(world), { epoch: "e1", offset: 1 });
    await world.socket.say(message(5)); // will be replayed, in its place
    await world.socket.admit(1, { recovered: true });
    await world.socket.say(message(2), message(3), message(4), message(5), message(6));
    assert.deepEqual(world.offsets, [1, 2, 3, 4, 5, 6]);
    assert.equal(world.of("resync").length, 0);
  });

  test("and own acks meanwhile neither move it nor come back as messages", async () => {
    const world = await World.in(0);
    await world.socket.say(message(1));
    world.client.sendMessage("r", "mine");
    const mine = world.socket.last("send_message");
    const payload = { room_id: "r", epoch: "e1", offset: 3, reason: "slow_consumer" };
    await world.socket.say({ type: "resync", room: "r", payload });
    await world.socket.ack(mine, 4);
    await world.socket.admit(1, { recovered: true });
    await world.socket.say(message(2), message(3), message(4, { client_id: mine.id }), message(5));
    assert.deepEqual(world.offsets, [1, 2, 3, 5]);
  });

  test("waits for a relay that is away, and ends where it is not allowed", async () => {
    const world = await World.in(2);
    await world.reconnected();
    await world.socket.refuse(world.socket.last("join_room"), "RELAY_UNAVAILABLE", { retry_after_ms: 700 });
    assert.equal(world.of("error").length, 0);
    await world.clock.advance(700);
    const [first, second] = world.socket.all("join_room");
    assert.deepEqual(first, second);
    const waiting = world.client.sendMessage("r", "x");
    await world.socket.refuse(second, "FORBIDDEN");
    await assert.rejects(waiting, { code: "FORBIDDEN" });
    assert.equal(world.of("error")[0].room, "r");
    await world.reconnected();
    assert.equal(world.socket.all("join_room").length, 0);
  });

  test("leaves out rooms that were left, and those a new token does not open", async () => {
    const world = await World.in(2);
    world.client.leaveRoom("r");
    await world.socket.ack({ room: "r", id: world.socket.last("leave_room").id });
    await world.socket.say(message(3));
    world.client.joinRoom("secret");
    await world.socket.admit(0);
    const waiting = world.client.sendMessage("secret", "x");
    await world.socket.say({ type: "ack", room: "secret" });
    await assert.rejects(waiting, { code: "FORBIDDEN" });
    await world.reconnected();
    assert.equal(world.socket.all("join_room").length, 0);
    assert.deepEqual(world.offsets, []);
  });

  test("does not mix up what was left and joined anew", async () => {
    const world = await new World().opened();
    const first = world.client.joinRoom("r");
    const [old] = world.socket.all("join_room");
    const left = world.client.leaveRoom("r");
    await assert.rejects(first, { code: "NOT_IN_ROOM" });
    const second = world.client.joinRoom("r");
    const info = (id, offset) => ({ type: "room_info", room: "r", id, payload: { room_id: "r", epoch: "e1", offset } });
    await world.socket.say(info(old.id, 1), message(2));
    await world.socket.say({ type: "ack", room: "r", id: world.socket.last("leave_room").id });
    await left;
    await world.socket.say(info(world.socket.last("join_room").id, 2), message(3));
    assert.equal((await second).payload.offset, 2);
    assert.deepEqual(world.offsets, [3]);
  });

  test("hands out what has no number as it comes", async () => {
    const world = await World.in(7);
    const foreign = { type: "new_message", room: "r", payload: { content: "hi" } };
    await world.socket.say(foreign, foreign);
    assert.equal(world.of("new_message").length, 2);
  });
});

describe("handlers", () => {
  test("are called by type, then those for all, until they are taken off", async () => {
    const world = await World.in(0);
    const calls = [];
    const off = world.client.on("new_message", ({ offset }) => calls.push(`typed ${offset}`));
    const all = ({ type }) => calls.push(`all ${type}`);
    world.client.on("*", all);
    await world.socket.say(message(1), { type: "notification", payload: {} });
    off();
    world.client.off("*", all);
    await world.socket.say(message(2));
    assert.deepEqual(calls, ["typed 1", "all new_message", "all notification"]);
  });

  test("that come while a message is handed out hear the next", async () => {
    const world = await World.in(0);
    const calls = [];
    world.client.on("new_message", ({ offset }) => {
      if (offset === 1) world.client.on("new_message", (later) => calls.push(later.offset));
    });
    await world.socket.say(message(1), message(2));
    assert.deepEqual(calls, [2]);
  });

  test("that throw keep nobody else from hearing", async () => {
    const world = await World.in(0);
    const thrown = [];
    const others = process.rawListeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => thrown.push(error.message));
    const calls = [];
    world.client.on("new_message", () => { throw new Error("mine"); });
    world.client.on("new_message", ({ offset }) => calls.push(offset));
    await world.socket.say(message(1));
    await settled();
    for (const listener of others) process.on("uncaughtException", listener);
    assert.deepEqual(calls, [1]);
    assert.deepEqual(thrown, ["mine"]);
  });
});
