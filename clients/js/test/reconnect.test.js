import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { isWorthRetrying } from "../roost.js";
import { World, seeded, settled } from "./support/fakes.js";

const seed = Number(process.env.SEED ?? 20_261_129);

describe("close codes", () => {
  const retried = [1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3000, 4000, 4001, 4008, 4029, 4499, 5000];
  const final = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 4500, 4501, 4999];
  for (const [codes, state] of [[retried, "waiting"], [final, "closed"]]) {
    for (const code of codes) {
      test(`${code}: ${state}`, async () => {
        assert.equal(isWorthRetrying(code), state === "waiting");
        const world = await new World().opened();
        await world.socket.end(code, "why");
        assert.equal(world.client.state, state);
        const { code: told, reason } = world.of("state").at(-1);
        assert.deepEqual({ told, reason }, { told: code, reason: "why" });
        await world.clock.advance(60_000);
        assert.equal(world.sockets.length > 1, state === "waiting");
        if (state === "closed") assert.equal(world.clock.pending, 0);
      });
    }
  }
});

describe(`waits (seed ${seed})`, () => {
  /** The waits of one client whose connections all fail. */
  async function waits(count, options, seed) {
    const world = new World(options, seed);
    for (let index = 0; index < count; index++) {
      await settled();
      await world.socket.end(1006);
      await world.clock.advance(world.wait.delay);
    }
    return world.of("state").filter(({ state }) => state === "waiting").map(({ delay }) => delay);
  }

  test("are evenly spread up to a bound that doubles, and never over the cap", async () => {
    const random = seeded(seed);
    const bounds = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
    const clients = [];
    for (let index = 0; index < 1_000; index++) clients.push(await waits(bounds.length, {}, random() * 2 ** 32));
    for (const [step, bound] of bounds.entries()) {
      const drawn = clients.map((delays) => delays[step]);
      const tenths = Array(10).fill(0);
      for (const delay of drawn) {
        assert.ok(delay >= 0 && delay < bound, `wait ${step} of ${delay}`);
        tenths[Math.floor((delay * 10) / bound)] += 1;
      }
      // A tenth of 1,000 draws is 100 give or take 9.5: five times that is never met by chance.
      for (const count of tenths) assert.ok(Math.abs(count - 100) < 48, `wait ${step}: ${tenths}`);
    }
  });

  test("have no last one", async () => {
    const delays = await waits(2_000, {}, seed);
    assert.equal(delays.length, 2_000);
    assert.ok(Math.max(...delays) < 30_000);
  });

  /** Chance that always gives nearly the bound, so that a wait tells which bound it was. */
  const worst = { random: () => 0.999_999 };

  test("begin anew after a connection that lasted, not after one that did not", async () => {
    const world = new World(worst);
    const bounds = [];
    for (const lasted of [0, 0, 999, 1_000, 0, 20_000]) {
      await world.opened();
      await world.clock.advance(lasted);
      await world.socket.end(1006);
      bounds.push(Math.ceil(world.wait.delay / 1_000) * 1_000);
      await world.clock.advance(world.wait.delay);
    }
    assert.deepEqual(bounds, [1_000, 2_000, 4_000, 1_000, 2_000, 1_000]);
  });

  test("grow while nothing is reached, however long the last connection was", async () => {
    const world = await new World(worst).opened();
    await world.clock.advance(20_000);
    const bounds = [];
    for (let tries = 0; tries < 4; tries++) {
      await world.socket.end(1006);
      bounds.push(Math.ceil(world.wait.delay / 1_000) * 1_000);
      await world.clock.advance(world.wait.delay);
      await settled();
    }
    assert.deepEqual(bounds, [1_000, 2_000, 4_000, 8_000]);
    world.client.disconnect();
    world.client.connect();
    await settled();
    await world.socket.end(1006);
    assert.equal(world.wait.delay, 999, "who connects by hand begins anew");
  });

  test("are longer for who was too slow or too loud", async () => {
    const world = new World(worst);
    const bounds = [];
    for (const code of [4008, 4008, 4029, 4008]) {
      await world.opened();
      await world.clock.advance(5_000);
      await world.socket.end(code);
      bounds.push(Math.ceil(world.wait.delay / 1_000) * 1_000);
      await world.clock.advance(world.wait.delay);
    }
    assert.deepEqual(bounds, [1_000, 2_000, 8_000, 16_000]);
  });

  test("are what a draining server says, counted from its word", async () => {
    const world = await World.in(0, worst);
    await world.socket.say({ type: "server_draining", payload: { reconnect_after_ms: 640 } });
    const sent = world.socket.sent.length;
    world.client.typing("r");
    const said = world.client.sendMessage("r", "after");
    assert.equal(world.socket.sent.length, sent, "who is sent away says nothing new");
    await world.clock.advance(500);
    await world.socket.end(1012);
    assert.equal(world.wait.delay, 140);
    await world.clock.advance(140);
    await world.socket.accept();
    await world.socket.admit(0, { recovered: true });
    await world.socket.ack(world.socket.last("send_message"), 1);
    assert.equal((await said).offset, 1);
  });

  test("end a connection that a draining server forgot to close", async () => {
    const world = await new World().opened();
    await world.socket.say({ type: "server_draining", payload: { reconnect_after_ms: 300 } });
    await world.clock.advance(5_299);
    assert.equal(world.client.state, "open");
    await world.clock.advance(1);
    assert.equal(world.sockets.length, 2);
  });

  test("keep to Retry-After where the class tells of it", async () => {
    class Refused extends EventEmitter {
      addEventListener() {}
      close() {}
      constructor() {
        super();
        sockets.push(this);
      }
    }
    const sockets = [];
    const world = new World({ ...worst, WebSocket: Refused, minDelay: 100 });
    await settled();
    const request = { destroy: () => (request.isDestroyed = true) };
    sockets[0].emit("unexpected-response", request, { statusCode: 503, headers: { "retry-after": "4" } });
    assert.ok(request.isDestroyed);
    assert.equal(world.wait.delay, 4_000);
    assert.match(world.wait.reason, /503/);
    await world.clock.advance(4_000);
    sockets[1].emit("unexpected-response", request, { statusCode: 401, headers: {} });
    assert.equal(world.wait.delay, 199);
  });

  test("are bounded, whatever a server says", async () => {
    for (const [said, delay] of [[1e15, 600_000], [-5, 0], ["x", 0], [undefined, 0], [null, 0]]) {
      const world = await new World().opened();
      await world.socket.say({ type: "server_draining", payload: { reconnect_after_ms: said } });
      await world.socket.end(1012);
      assert.equal(world.wait.delay, delay, `for ${said}`);
    }
  });
});

describe("a connection", () => {
  test("is given up when it takes too long, by the token or by the handshake", async () => {
    for (const token of [() => "t", () => new Promise(() => {})]) {
      const world = new World({ token });
      await world.clock.advance(15_000);
      assert.equal(world.client.state, "waiting");
      assert.match(world.wait.reason, /in time/);
    }
  });

  test("that is silent is asked, and given up when it says nothing", async () => {
    const world = await new World().opened();
    await world.clock.advance(24_999);
    assert.equal(world.socket.all("ping").length, 0);
    await world.clock.advance(1);
    assert.equal(world.socket.all("ping").length, 1);
    await world.socket.say({ type: "pong" });
    await world.clock.advance(25_000);
    assert.equal(world.socket.all("ping").length, 2);
    const dead = world.socket;
    await world.clock.advance(10_000);
    assert.ok(dead.closedWith);
    assert.equal(world.wait.reason, "silence");
    await dead.say({ type: "chat", payload: 1 });
    await dead.end(4500);
    assert.equal(world.of("chat").length, 0, "what an old connection says is not heard");
    assert.notEqual(world.client.state, "closed");
  });

  test("on which something is heard is not asked", async () => {
    const world = await new World().opened();
    for (let index = 0; index < 10; index++) {
      await world.clock.advance(20_000);
      await world.socket.say({ type: "notification", payload: {} });
    }
    assert.equal(world.socket.all("ping").length, 0);
  });

  test("is not made again after disconnect, and is after connect", async () => {
    const world = await World.in(3);
    world.client.disconnect();
    assert.deepEqual(world.socket.closedWith, { code: 1000 });
    await world.clock.advance(100_000);
    assert.equal(world.sockets.length, 1);
    await assert.rejects(world.client.sendMessage("r", "x"), { code: "CLOSED" });
    world.client.connect();
    await world.opened();
    assert.deepEqual(world.socket.last("join_room").payload, { room_id: "r", since: { epoch: "e1", offset: 3 } });
  });

  test("may be ended while it comes back, and the rooms are kept", async () => {
    const world = await World.in(3);
    await world.reconnected(); // its join waits for an answer
    world.client.disconnect();
    world.client.connect();
    await world.opened();
    assert.deepEqual(world.socket.last("join_room").payload.since, { epoch: "e1", offset: 3 });
  });

  test("may be ended by a handler in the middle of anything", async () => {
    for (const type of ["state", "room_info", "error"]) {
      const world = await World.in(0);
      world.client.sendPrivate("bob", "x");
      world.client.on(type, () => world.client.disconnect());
      await world.socket.end(1006);
      await world.clock.advance(100_000);
      if (type !== "room_info") assert.equal(world.client.state, "closed", type);
    }
  });

  test("does not die of what is not a message", async () => {
    const world = await World.in(0);
    await world.socket.say("", "{", "null", "7", '"x"', "[]", "{}", '{"type":7}', '{"type":"ack"}', '{"type":"error"}');
    await world.socket.say('{"type":"room_info"}', '{"type":"resync"}', '{"type":"x","payload":null}', message_of_nothing);
    assert.equal(world.client.state, "open");
    await world.socket.say({ type: "new_message", room: "r", id: "s1", offset: 1, payload: 1 });
    assert.deepEqual(world.offsets, [1]);
  });
  const message_of_nothing = { type: "new_message", room: "r", offset: "9", payload: null };
});

describe("a page", () => {
  class Page extends EventTarget {
    document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    show(visibilityState) {
      this.document.visibilityState = visibilityState;
      this.document.dispatchEvent(new Event("visibilitychange"));
    }
    network(type) {
      this.dispatchEvent(new Event(type));
    }
  }

  for (const [what, wake] of [["the network is back", (page) => page.network("online")], ["it is shown", (page) => page.show("visible")]]) {
    test(`does not wait long when ${what}`, async () => {
      const page = new Page();
      const world = new World({ page, random: () => 0.999 });
      for (let index = 0; index < 6; index++) {
        await settled();
        await world.socket.end(1006);
        if (index < 5) await world.clock.advance(world.wait.delay);
      }
      assert.equal(world.wait.delay, 29_970);
      wake(page);
      assert.equal(world.wait.delay, 999);
      await world.clock.advance(999);
      assert.equal(world.client.state, "connecting");
    });
  }

  test("keeps to the time a server gave", async () => {
    const page = new Page();
    const world = await new World({ page }).opened();
    await world.socket.say({ type: "server_draining", payload: { reconnect_after_ms: 5_000 } });
    await world.socket.end(1012);
    page.network("online");
    assert.equal(world.wait.delay, 5_000);
    await world.clock.advance(4_999);
    assert.equal(world.sockets.length, 1);
  });

  test("finds a dead connection at once when the network goes or comes", async () => {
    for (const type of ["offline", "online"]) {
      const page = new Page();
      const world = await new World({ page }).opened();
      await world.clock.advance(100);
      page.network(type);
      assert.equal(world.socket.all("ping").length, 1);
      await world.clock.advance(10_000);
      assert.equal(world.wait.reason, "silence");
    }
  });

  test("stops typing when hidden", async () => {
    const page = new Page();
    const world = await World.in(0, { page });
    world.client.typing("r");
    page.show("hidden");
    assert.equal(world.socket.all("stop_typing").length, 1);
  });

  test("is left alone by a closed client", async () => {
    const page = new Page();
    const world = await new World({ page }).opened();
    world.client.disconnect();
    page.network("online");
    page.show("visible");
    await world.clock.advance(60_000);
    assert.equal(world.sockets.length, 1);
    world.client.connect();
    await world.opened();
    page.network("online");
    assert.equal(world.socket.all("ping").length, 1, "and watched once by one that is connected again");
  });
});
