// Against real nodes that share a real Redis. ROOST_BINARY: the program; ROOST_JS_SECONDS: how long connections are cut.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { connect } from "../roost.js";
import { Cluster, eventually, token } from "./support/cluster.js";
import { OlderClient } from "./support/older-client.js";

const require = createRequire(import.meta.url);
const classes = { "the global WebSocket": globalThis.WebSocket, "ws of Node": require("ws") };
const seconds = Number(process.env.ROOST_JS_SECONDS ?? 15);

// The tests send faster than people type.
const fast = ["--rate-per-second", "10000", "--rate-burst", "10000", "--connects-per-address", "10000"];
const fastClient = ["--control-per-second", "10000", "--new-rooms-per-minute", "10000", "--questions-per-second", "10000"];
// However slow the machine is, who comes back late gets all that was said meanwhile.
const patient = ["--handshake-time", "60", "--recovery-messages", "5000", "--history-messages", "5000"];
const settings = [...fast, ...fastClient, ...patient];

describe("a cluster", () => {
  let cluster;
  let nodes;
  const clients = [];

  before(async () => {
    for (const [name, WebSocket] of Object.entries(classes)) assert.ok(WebSocket, `${name} is missing`);
    cluster = await new Cluster().redis();
    nodes = await Promise.all([cluster.node(...settings), cluster.node(...settings)]);
  });
  after(async () => {
    for (const client of clients) client.disconnect();
    await cluster.stop();
  });

  /** A client, with what it was told of a room's messages: others' and its own, in order. */
  function person(name, url, options = {}) {
    const client = connect(url, { token: () => token(name), minDelay: 100, maxDelay: 500, ...options });
    clients.push(client);
    const heard = [];
    const others = [];
    client.on("*", (message) => {
      if (message.type === "new_message" || (message.type === "ack" && message.offset !== undefined)) heard.push(message);
      if (message.type === "new_message") others.push(message.payload.content);
    });
    return { name, client, heard, others, to: (type) => next(client, type) };
  }

  const next = (client, type, wanted = () => true) =>
    new Promise((resolve) => {
      const off = client.on(type, (message) => wanted(message) && (off(), resolve(message)));
    });

  for (const [name, WebSocket] of Object.entries(classes)) {
    test(`talks over two nodes, with ${name}`, async () => {
      const room = `talk-${WebSocket.name}-${clients.length}`;
      const ann = person("ann", nodes[0].url, { WebSocket });
      const bob = person("7", nodes[1].url.replace("ws:", "http:"), { WebSocket });
      assert.equal((await ann.client.joinRoom(room)).payload.count, 1);
      const joined = ann.to("user_joined");
      const early = bob.client.sendMessage(room, "too early").catch((error) => error.code);
      assert.equal(await early, "NOT_IN_ROOM");
      await bob.client.joinRoom(room);
      assert.equal((await joined).sender.id, "7");

      const typing = ann.to("user_typing");
      const stopped = ann.to("user_stopped_typing");
      bob.client.typing(room);
      assert.equal((await typing).sender.id, "7");
      const heard = ann.to("new_message");
      const ack = await bob.client.sendMessage(room, "hellö");
      assert.equal((await stopped).sender.id, "7");
      const message = await heard;
      assert.deepEqual(message.payload, { content: "hellö" });
      assert.deepEqual([message.id, message.offset], [ack.payload.message_id, ack.offset]);

      const whisper = ann.to("private");
      assert.equal((await bob.client.sendPrivate("ann", { psst: 1 })).payload.recipients, 1);
      assert.deepEqual((await whisper).payload, { psst: 1 });
      await assert.rejects(bob.client.chat("all"), { code: "FORBIDDEN" });
      const { payload } = await ann.client.history(room, { limit: 10 });
      assert.deepEqual(payload.messages.map(({ id }) => id), [message.id]);
      assert.equal((await ann.client.onlineUsers(room)).payload.count, 2);
      const left = ann.to("user_left");
      await bob.client.leaveRoom(room);
      assert.equal((await left).sender.id, "7");
      await assert.rejects(bob.client.history(room), { code: "NOT_IN_ROOM" });
      for (const { client } of [ann, bob]) client.disconnect();
    });
  }

  test("admits with a token, and a refused client goes on trying", async () => {
    let good = false;
    const client = connect(nodes[0].url, { token: () => (good ? token("eve") : "no token"), minDelay: 50 });
    clients.push(client);
    for (let tries = 0; tries < 3; tries++) await next(client, "state", ({ state }) => state === "waiting");
    good = true;
    await next(client, "state", ({ state }) => state === "open");
    client.disconnect();
  });

  test("renews a token on the connection, and asks for one when it ended", async () => {
    const reasons = [];
    const fresh = (lives) => (reason) => {
      reasons.push(reason);
      return lives[reason] ? token("rita", { exp: Math.floor(Date.now() / 1_000) + lives[reason] }) : "";
    };
    // The server says so when less than half a minute is left.
    const rita = person("rita", nodes[0].url, { token: fresh({ connect: 28, expiring: 3_600 }) });
    const { payload } = await next(rita.client, "ack", (message) => message.payload?.expires_at);
    assert.ok(Date.parse(payload.expires_at) > Date.now() + 3_000_000);
    assert.deepEqual(reasons, ["connect", "expiring"]);
    const sam = person("sam", nodes[0].url, { token: fresh({ connect: 3, expired: 3_600 }) });
    await next(sam.client, "state", ({ code }) => code === 4001);
    await next(sam.client, "state", ({ state }) => state === "open");
    assert.equal(reasons.at(-1), "expired");
    for (const { client } of [rita, sam]) client.disconnect();
  });

  test("gives the last messages to who asks on the first visit, once", async () => {
    const ann = person("ann", nodes[0].url);
    await ann.client.joinRoom("past");
    for (const content of ["1", "2", "3"]) await ann.client.sendMessage("past", content);
    const bob = person("bob", nodes[1].url);
    bob.client.joinRoom("past", { history: 2 });
    await next(bob.client, "new_message", ({ payload }) => payload.content === "3");
    bob.client.joinRoom("past");
    await ann.client.sendMessage("past", "4");
    await eventually("the fourth", () => bob.others.includes("4"));
    assert.deepEqual(bob.others, ["2", "3", "4"]);
    for (const { client } of [ann, bob]) client.disconnect();
  });

  test("is spoken to in order by who is told to be slower", async () => {
    const strict = await cluster.node("--rate-burst", "3", "--rate-per-second", "2");
    const codes = [];
    class Tapped extends classes["ws of Node"] {
      constructor(...how) {
        super(...how);
        this.addEventListener("message", ({ data }) => codes.push(JSON.parse(data).payload?.code));
      }
    }
    const ann = person("ann", strict.url, { WebSocket: Tapped });
    const bob = person("bob", nodes[0].url);
    await Promise.all([ann.client.joinRoom("slow"), bob.client.joinRoom("slow")]);
    const contents = Array.from({ length: 12 }, (_, number) => `${number}`);
    await Promise.all(contents.map((content) => ann.client.sendMessage("slow", content)));
    await eventually("everything", () => bob.others.length >= contents.length);
    assert.deepEqual(bob.others, contents);
    // Nearly each after the first three; a machine would have to take half a second for an ack to be told so less often.
    assert.ok(codes.filter((code) => code === "RATE_LIMITED").length > 2, `${codes}`);
    assert.equal(ann.client.state, "open");
    for (const { client } of [ann, bob]) client.disconnect();
  });

  test("says how long to wait, to who can read it", async () => {
    const narrow = await cluster.node("--connections-per-user", "1");
    const first = connect(narrow.url, { token: () => token("ann") });
    clients.push(first);
    await next(first, "state", ({ state }) => state === "open");
    const second = connect(narrow.url, { token: () => token("ann"), minDelay: 1, WebSocket: classes["ws of Node"] });
    clients.push(second);
    const { delay, reason } = await next(second, "state", ({ state }) => state === "waiting");
    assert.match(reason, /429/);
    // By itself it would wait 1 ms at most.
    assert.ok(delay > 500 && delay <= 5_000, `${delay}`);
    for (const client of [first, second]) client.disconnect();
  });

  test("that lost its Redis with all it knew says so, and each message is seen once", async () => {
    const other = new Cluster();
    try {
      await other.redis();
      const [one, two] = await Promise.all([other.node(...settings), other.node(...settings)]);
      const ann = person("ann", one.url);
      const bob = person("bob", two.url);
      await Promise.all([ann.client.joinRoom("room"), bob.client.joinRoom("room")]);
      for (const content of ["1", "2"]) await ann.client.sendMessage("room", content);
      await eventually("both", () => bob.others.length === 2);
      const told = [ann, bob].map(({ client }) => next(client, "resync"));
      const degraded = ann.to("relay_status");
      await other.killRedis();
      assert.equal((await degraded).payload.degraded, true);
      const third = ann.client.sendMessage("room", "3");
      await other.redis();
      assert.equal((await third).offset, 1, "the first of a new epoch");
      for (const { payload } of await Promise.all(told)) assert.equal(payload.reason, "epoch_changed");
      await eventually("the third", () => bob.others.includes("3"));
      assert.deepEqual(bob.others, ["1", "2", "3"]);
      for (const { client } of [ann, bob]) client.disconnect();
    } finally {
      await other.stop();
    }
  });

  test("does not lose a message to a node that is killed", async () => {
    const doomed = await cluster.node(...settings);
    const way = await cluster.proxy(doomed.port);
    const ann = person("ann", way.url);
    const bob = person("bob", nodes[1].url);
    await Promise.all([ann.client.joinRoom("killed"), bob.client.joinRoom("killed")]);
    const sent = [];
    for (let number = 0; number < 200; number++) {
      sent.push(ann.client.sendMessage("killed", `a${number}`), bob.client.sendMessage("killed", `b${number}`));
      if (number === 100) {
        await next(bob.client, "new_message", ({ payload }) => payload.content === "a30");
        way.ports = [nodes[0].port];
        doomed.process.kill("SIGKILL");
      }
    }
    await Promise.all(sent);
    await eventually("everything", () => bob.others.length >= 200 && ann.others.length >= 200);
    assert.deepEqual(bob.others, Array.from({ length: 200 }, (_, number) => `a${number}`));
    assert.deepEqual(ann.others, Array.from({ length: 200 }, (_, number) => `b${number}`));
    assert.ok(way.count > 1);
    for (const { client } of [ann, bob]) client.disconnect();
  });

  test("keeps serving the client of the older documents, as it is", async () => {
    for (const [name, WebSocket] of Object.entries(classes)) {
      const room = `older-${clients.length}`;
      const way = await cluster.proxy(nodes[0].port);
      const ann = new OlderClient(way.url, token("ann"), { WebSocket });
      const log = [];
      const heard = (type, wanted = () => true) => eventually(`${type} (${name})`, () => log.find((m) => m.type === type && wanted(m)));
      for (const type of ["room_info", "new_message", "user_joined", "user_left", "user_typing", "error", "ack"]) {
        ann.on(type, (message) => log.push(message));
      }
      ann.on("open", () => ann.joinRoom(room)); // as its documents do, after every connect
      ann.connect();
      await heard("room_info");
      const bob = person("bob", nodes[1].url);
      await bob.client.joinRoom(room);
      await heard("user_joined", ({ payload }) => payload.name === "bob");
      bob.client.typing(room);
      await heard("user_typing", ({ sender }) => sender.id === "bob");
      await bob.client.sendMessage(room, "hi ann");
      await heard("new_message", ({ payload }) => payload.content === "hi ann");
      ann.sendMessage(room, "hi bob");
      await heard("ack", (message) => message.room === room && message.offset === 2);
      await eventually("her message", () => bob.others.includes("hi bob"));

      log.length = 0;
      way.cut();
      await heard("room_info");
      await bob.client.sendMessage(room, "again");
      await heard("new_message", ({ payload }) => payload.content === "again");
      assert.deepEqual(log.filter(({ type }) => ["error", "user_joined", "user_left"].includes(type)), []);
      ann.leaveRoom(room);
      ann.close();
      bob.client.disconnect();
    }
  });

  test(`loses and doubles nothing when connections are cut every 2 s, for ${seconds} s`, async () => {
    const way = await cluster.proxy(...nodes.map(({ port }) => port));
    const names = ["ann", "bob", "cem", "ann"]; // ann has two devices
    const people = names.map((name, index) => {
      const options = { WebSocket: Object.values(classes)[index % 2], minDelay: 200 };
      return { ...person(name, way.url, options), device: `${name}${index}` };
    });
    await Promise.all(people.map(({ client }) => client.joinRoom("cut")));
    const resyncs = [];
    for (const { client } of people) client.on("resync", (message) => resyncs.push(message));

    const end = Date.now() + seconds * 1_000;
    let cuts = 0;
    const cutting = setInterval(() => (cuts++, way.cut()), 2_000);
    const talking = people.map(async ({ client, device }) => {
      const acks = [];
      while (Date.now() < end) {
        const burst = Array.from({ length: 5 }, (_, index) => client.sendMessage("cut", `${device} ${acks.length + index}`));
        acks.push(...(await Promise.all(burst)));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return acks;
    });
    const acks = await Promise.all(talking);
    clearInterval(cutting);

    const total = acks.flat().length;
    for (const { heard } of people) await eventually(`all ${total}`, () => heard.length >= total);
    const order = [...acks.flat()].sort((a, b) => a.offset - b.offset);
    // 1, 2, 3 …: each message has one place, and none was stored twice.
    assert.deepEqual(order.map(({ offset }) => offset), Array.from({ length: total }, (_, index) => index + 1));
    for (const [index, { device, heard }] of people.entries()) {
      // Acks of what was sent again may come late, out of the order. Everything else comes in it.
      const messages = heard.filter(({ type }) => type === "new_message");
      const offsets = messages.map(({ offset }) => offset);
      assert.deepEqual(offsets, [...offsets].sort((a, b) => a - b), `${device}: order`);
      const mine = new Set(acks[index].map(({ offset }) => offset));
      const expected = order.map(({ offset }) => offset).filter((offset) => !mine.has(offset));
      assert.deepEqual(offsets, expected, `${device}: lost or doubled`);
      assert.deepEqual([...mine], [...mine].sort((a, b) => a - b), `${device}: own order`);
      for (const [sender, other] of people.entries()) {
        if (sender === index) continue;
        const said = messages.map(({ payload }) => payload.content).filter((content) => content.startsWith(`${other.device} `));
        assert.deepEqual(said, acks[sender].map((_, number) => `${other.device} ${number}`), `${device} of ${other.device}`);
      }
    }
    assert.deepEqual(resyncs, []);
    // On a busy machine a cut may come late, and before somebody is back from the last one.
    assert.ok(cuts >= Math.floor(seconds / 4), `${cuts} cuts`);
    assert.ok(way.count >= people.length + cuts, `${way.count} connections`);
    console.log(`${total} messages of ${people.length} clients in ${seconds} s, ${cuts} cuts, ${way.count} connections: 0 lost, 0 doubled`);
  });
});
