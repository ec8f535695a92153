import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { World, message, settled } from "./support/fakes.js";

const contents = (socket) => socket.all("send_message").map(({ payload }) => payload.content);

describe("sending", () => {
  test("waits for the connection and for the room", async () => {
    const world = new World();
    const joined = world.client.joinRoom("r");
    const sent = world.client.sendMessage("r", "early");
    const asked = world.client.onlineUsers("r");
    await world.opened();
    assert.deepEqual(world.socket.sent.map(({ type }) => type), ["join_room", "online_users"]);
    await world.socket.admit(0);
    assert.equal((await joined).payload.room_id, "r");
    assert.deepEqual(world.socket.last("send_message").payload, { content: "early" });
    await world.socket.ack(world.socket.last("send_message"), 1);
    assert.deepEqual((await sent).payload, { epoch: "e1", message_id: "s1" });
    const { id } = world.socket.last("online_users");
    await world.socket.say({ type: "online_users", room: "r", id, payload: { room_id: "r", users: [], count: 0 } });
    assert.equal((await asked).payload.count, 0);
  });

  test("goes one after the other in a room, and not through other rooms", async () => {
    const world = await World.in(0);
    world.client.joinRoom("other");
    await world.socket.admit(0);
    for (const content of ["1", "2", "3"]) world.client.sendMessage("r", content);
    world.client.sendMessage("other", "o1");
    assert.deepEqual(contents(world.socket), ["1", "o1"]);
    await world.socket.ack(world.socket.all("send_message")[0], 1);
    assert.deepEqual(contents(world.socket), ["1", "o1", "2"]);
  });

  test("is done again under the same ids and in order after a lost connection", async () => {
    const world = await World.in(0);
    const sent = ["1", "2", "3"].map((content) => world.client.sendMessage("r", content));
    const ids = [];
    for (const offset of [1, 2, 3]) {
      const before = world.socket.last("send_message");
      await world.reconnected();
      assert.equal(world.socket.all("send_message").length, 0, "not before it is in the room again");
      await world.socket.admit(offset - 1, { recovered: true });
      const again = world.socket.last("send_message");
      assert.deepEqual(again, before);
      ids.push(again.id);
      await world.socket.ack(again, offset);
    }
    assert.equal(new Set(ids).size, 3);
    const acks = await Promise.all(sent);
    assert.deepEqual(acks.map(({ offset }) => offset), [1, 2, 3]);
    assert.deepEqual(acks.map(({ id }) => id), ids);
  });

  test("is done when what was missed shows it", async () => {
    const world = await World.in(0);
    const first = world.client.sendMessage("r", "1");
    const second = world.client.sendMessage("r", "2");
    const mine = world.socket.last("send_message");
    await world.reconnected();
    await world.socket.admit(0, { recovered: true });
    assert.equal(world.socket.all("send_message").length, 1);
    await world.socket.say(message(1), message(2, { client_id: mine.id }), message(3));
    const { offset, payload } = await first;
    assert.deepEqual({ offset, payload }, { offset: 2, payload: { epoch: "e1", message_id: "s2" } });
    assert.deepEqual(world.offsets, [1, 3], "its sender has it from the ack");
    assert.equal(world.of("ack").length, 1);
    await world.socket.ack(mine, 2, { dup: true });
    assert.equal(world.of("ack").length, 1);
    assert.deepEqual(contents(world.socket), ["1", "2"]);
    await world.socket.ack(world.socket.last("send_message"), 4);
    assert.equal((await second).offset, 4);
  });

  test("is not shown to its sender when the ack came before the copy", async () => {
    const world = await World.in(0);
    world.client.sendMessage("r", "1");
    const mine = world.socket.last("send_message");
    await world.reconnected();
    await world.socket.admit(0, { recovered: true });
    await world.socket.say(message(1));
    await world.socket.ack(mine, 2, { dup: true, message_id: undefined });
    await world.socket.say(message(2, { client_id: mine.id }), message(3, { client_id: "another tab's" }));
    assert.deepEqual(world.offsets, [1, 3]);
  });

  test("waits as it is told, and nothing overtakes it", async () => {
    for (const code of ["RATE_LIMITED", "RELAY_UNAVAILABLE"]) {
      const world = await World.in(0);
      const sent = ["1", "2"].map((content) => world.client.sendMessage("r", content));
      await world.socket.refuse(world.socket.last("send_message"), code, { retry_after_ms: 900 });
      await world.clock.advance(899);
      assert.deepEqual(contents(world.socket), ["1"]);
      await world.clock.advance(1);
      assert.deepEqual(contents(world.socket), ["1", "1"]);
      assert.equal(new Set(world.socket.all("send_message").map(({ id }) => id)).size, 1);
      await world.socket.ack(world.socket.last("send_message"), 1);
      await world.socket.ack(world.socket.last("send_message"), 2);
      await Promise.all(sent);
      assert.equal(world.of("error").length, 0);
    }
  });

  test("is given up when the server says so", async () => {
    const world = await World.in(0);
    const [first, second] = ["1", "2"].map((content) => world.client.sendMessage("r", content));
    await world.socket.refuse(world.socket.last("send_message"), "RELAY_UNAVAILABLE"); // no time: not again
    await assert.rejects(first, { code: "RELAY_UNAVAILABLE", name: "RoostError" });
    assert.equal(world.of("error").length, 1);
    await world.socket.ack(world.socket.last("send_message"), 1);
    await second;
  });

  test("needs a room, a size and a place in the queue", async () => {
    const world = await World.in(0, { queue: 3 });
    const { client } = world;
    client.onlineUsers("x".repeat(5_000)); // nobody looks at how it ends
    await assert.rejects(client.sendMessage("elsewhere", "x"), { code: "NOT_IN_ROOM" });
    await assert.rejects(client.sendMessage("r", "é".repeat(2_040)), { code: "PAYLOAD_TOO_LARGE" });
    for (let index = 0; index < 3; index++) client.sendMessage("r", `${index}`);
    await assert.rejects(client.sendMessage("r", "3"), { code: "QUEUE_FULL" });
    await assert.rejects(client.joinRoom("new"), { code: "QUEUE_FULL" });
    await assert.rejects(client.history("r"), { code: "QUEUE_FULL" });
    await world.reconnected();
    const joins = world.socket.all("join_room").map(({ payload }) => payload.room_id);
    assert.deepEqual(joins, ["r"], "coming back needs no place");
    await world.socket.admit(0, { recovered: true });
    await world.socket.ack(world.socket.last("send_message"), 1);
    client.sendMessage("r", "3");
    assert.equal(world.of("error").length, 6);
  });

  test("fits into what the server takes", async () => {
    const world = await World.in(0);
    const sizes = [];
    for (let length = 3_900; length < 4_100; length++) world.client.sendMessage("r", "x".repeat(length)).then(() => {}, () => {});
    for (let offset = 1; world.socket.all("send_message").length === offset; offset++) {
      sizes.push(JSON.stringify(world.socket.last("send_message")).length);
      await world.socket.ack(world.socket.last("send_message"), offset);
    }
    assert.ok(Math.max(...sizes) <= 4_096 && Math.max(...sizes) > 4_000, `${Math.max(...sizes)}`);
  });

  test("any JSON value is sent as it is", async () => {
    const world = await World.in(0);
    for (const [offset, content] of [{ a: [1] }, 7, null, false, ["x"]].entries()) {
      world.client.sendMessage("r", content);
      assert.deepEqual(world.socket.last("send_message").payload, content);
      await world.socket.ack(world.socket.last("send_message"), offset + 1);
    }
  });

  test("ids of two clients and of two lives differ", async () => {
    const ids = new Set();
    for (let seed = 0; seed < 200; seed++) {
      const world = await World.in(0, {}, seed);
      const { id } = world.socket.last("join_room");
      assert.match(id, /^[0-9a-z-]{1,64}$/);
      ids.add(id);
    }
    assert.equal(ids.size, 200);
  });
});

describe("asking", () => {
  test("is done again on the next connection, but nothing that might be delivered twice", async () => {
    const world = await World.in(0);
    const { client } = world;
    client.history("r", { limit: 5, before: 9 });
    client.onlineUsers("x");
    const whisper = client.sendPrivate(7, "psst");
    const chat = client.chat({ a: 1 });
    const left = client.leaveRoom("y");
    assert.deepEqual(world.socket.last("private").recipient_id, 7);
    await world.socket.end(1006);
    await assert.rejects(whisper, { code: "CONNECTION_LOST" });
    await assert.rejects(chat, { code: "CONNECTION_LOST" });
    await left;
    const later = client.sendPrivate("bob", "later");
    await world.clock.advance(world.wait.delay);
    await world.socket.accept();
    assert.deepEqual(world.socket.sent.map(({ type }) => type), ["online_users", "private", "join_room"]);
    await world.socket.admit(0, { recovered: true });
    assert.deepEqual(world.socket.last("history").payload, { room_id: "r", limit: 5, before: 9 });
    await world.socket.say({ type: "ack", id: world.socket.last("private").id, payload: { recipients: 2 } });
    assert.equal((await later).payload.recipients, 2);
  });

  test("waits through connections that do not come about, also for what is not repeated", async () => {
    const world = new World();
    const whisper = world.client.sendPrivate("bob", "x");
    for (let tries = 0; tries < 3; tries++) {
      await settled();
      await world.socket.end(1006);
      await world.clock.advance(world.wait.delay);
    }
    await world.socket.accept();
    await world.socket.say({ type: "ack", id: world.socket.last("private").id, payload: { recipients: 1 } });
    assert.equal((await whisper).payload.recipients, 1);
  });

  test("a private message whose fate is unknown is not sent again", async () => {
    const world = await World.in(0);
    const whisper = world.client.sendPrivate("bob", "x");
    await world.socket.refuse(world.socket.last("private"), "RELAY_UNAVAILABLE", { retry_after_ms: 100 });
    await assert.rejects(whisper, { code: "RELAY_UNAVAILABLE" });
    const limited = world.client.sendPrivate("bob", "y");
    await world.socket.refuse(world.socket.last("private"), "RATE_LIMITED", { retry_after_ms: 100 });
    await world.clock.advance(100);
    assert.equal(world.socket.all("private").length, 3);
    await world.socket.say({ type: "ack", id: world.socket.last("private").id, payload: { recipients: 0 } });
    await limited;
  });

  test("is answered by an answer, not by whoever knows the id", async () => {
    const world = await World.in(0);
    const sent = world.client.sendMessage("r", "x");
    const { id } = world.socket.last("send_message");
    for (const type of ["private", "new_message", "chat"]) await world.socket.say({ type, id, room: "r", payload: {} });
    await world.socket.ack({ room: "r", id }, 5);
    assert.equal((await sent).offset, 5);
  });

  test("ends with the client", async () => {
    const world = await World.in(0);
    const pending = [world.client.sendMessage("r", "1"), world.client.onlineUsers("r"), world.client.joinRoom("new")];
    world.client.disconnect();
    for (const call of pending) await assert.rejects(call, { code: "CLOSED" });
    assert.equal(world.of("error").length, 0);
    assert.equal(world.clock.pending, 0);
  });

  test("joining twice is one question at a time", async () => {
    const world = await new World().opened();
    const [first, second] = [world.client.joinRoom("r"), world.client.joinRoom("r")];
    assert.equal(world.socket.all("join_room").length, 1);
    await world.socket.admit(0);
    assert.equal(await first, await second);
    world.client.joinRoom("r");
    assert.deepEqual(world.socket.last("join_room").payload.since, { epoch: "e1", offset: 0 });
  });
});

describe("tokens", () => {
  test("are asked for before each connection, and travel as a subprotocol", async () => {
    const reasons = [];
    const world = await new World({ token: async (reason) => `t${reasons.push(reason)}` }).opened();
    assert.deepEqual(world.socket.protocols, ["roost.v1", "bearer.t1"]);
    await world.reconnected();
    await world.reconnected(4001);
    assert.deepEqual(world.socket.protocols, ["roost.v1", "bearer.t3"]);
    assert.deepEqual(reasons, ["connect", "connect", "expired"]);
  });

  test("that end are renewed on the connection", async () => {
    const reasons = [];
    const world = await new World({ token: (reason) => `t${reasons.push(reason)}` }).opened();
    await world.socket.say({ type: "token_expiring", payload: { expires_at: "2026-11-21T05:05:06.000Z" } });
    assert.deepEqual(world.socket.last("refresh_token").payload, { token: "t2" });
    assert.deepEqual(reasons, ["connect", "expiring"]);
    assert.equal(world.of("token_expiring").length, 1);
    await world.reconnected();
    assert.equal(world.socket.all("refresh_token").length, 0);
  });

  test("that come too late are not given to another connection", async () => {
    let give;
    const world = await new World({ token: (reason) => (reason === "expiring" ? new Promise((r) => (give = r)) : "t") }).opened();
    await world.socket.say({ type: "token_expiring", payload: {} });
    await world.reconnected();
    give("late");
    await settled();
    assert.equal(world.socket.all("refresh_token").length, 0);
  });

  test("that come after the time for a connection open none", async () => {
    const given = [];
    const world = new World({ token: () => new Promise((give) => given.push(give)) });
    await world.clock.advance(15_000);
    assert.equal(world.client.state, "waiting");
    given[0]("late");
    await settled();
    assert.equal(world.sockets.length, 0);
    await world.clock.advance(world.wait.delay);
    given[1]("in time");
    await settled();
    assert.deepEqual(world.sockets.map(({ protocols }) => protocols[1]), ["bearer.in time"]);
  });

  test("that cannot be got are tried for again", async () => {
    let failures = 3;
    const token = (reason) => {
      if (failures-- > 0) throw new Error("the backend is away");
      return reason;
    };
    const world = new World({ token });
    await world.clock.advance(60_000);
    const reasons = world.of("state").filter(({ state }) => state === "waiting").map(({ reason }) => reason);
    assert.equal(reasons.filter((reason) => reason.includes("the backend is away")).length, 3);
    await world.opened();
    failures = 1;
    await world.socket.say({ type: "token_expiring", payload: {} });
    assert.equal(world.client.state, "open");
  });

  test("that are fixed end the client when they end", async () => {
    const world = await new World({ token: "fixed" }).opened();
    assert.deepEqual(world.socket.protocols, ["roost.v1", "bearer.fixed"]);
    await world.socket.say({ type: "token_expiring", payload: {} });
    assert.equal(world.socket.all("refresh_token").length, 0);
    await world.socket.end(4001);
    assert.equal(world.client.state, "closed");
  });

  test("need not be", async () => {
    const world = await new World({ token: undefined }).opened();
    assert.deepEqual(world.socket.protocols, ["roost.v1"]);
  });
});

describe("typing", () => {
  test("is said every three seconds while it goes on, and ended when it stops", async () => {
    const world = await World.in(0);
    const said = () => world.socket.sent.map(({ type }) => type).filter((type) => type.includes("typing"));
    for (let key = 0; key < 13; key++) {
      world.client.typing("r");
      await world.clock.advance(500);
    }
    assert.deepEqual(said(), ["typing", "typing", "typing"]); // at 0, 3 and 6 s
    await world.clock.advance(3_499);
    assert.equal(said().length, 3);
    await world.clock.advance(1);
    assert.deepEqual(said().slice(3), ["stop_typing"]);
    await world.clock.advance(10_000);
    assert.equal(said().length, 4);
  });

  test("ends with the message, before it", async () => {
    const world = await World.in(0);
    world.client.typing("r");
    world.client.sendMessage("r", "x");
    assert.deepEqual(world.socket.sent.slice(1).map(({ type }) => type), ["typing", "stop_typing", "send_message"]);
    world.client.typing("r");
    assert.equal(world.socket.all("typing").length, 2, "and begins anew");
  });

  test("ends with leaving, and is not said without a connection or a room", async () => {
    const world = await World.in(0);
    world.client.typing("elsewhere");
    world.client.typing("r");
    world.client.leaveRoom("r");
    assert.deepEqual(world.socket.sent.slice(1).map(({ type }) => type), ["typing", "stop_typing", "leave_room"]);
    world.client.joinRoom("r");
    await world.socket.admit(0);
    world.client.typing("r");
    await world.reconnected();
    world.client.typing("r");
    await world.clock.advance(1_000);
    assert.deepEqual(world.socket.sent.map(({ type }) => type), ["join_room"]);
    await world.socket.admit(0);
    world.client.typing("r");
    assert.equal(world.socket.all("typing").length, 1);
  });
});
