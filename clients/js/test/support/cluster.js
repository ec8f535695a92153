// Real processes for tests: a Redis, nodes, and a proxy that harms connections. All on free ports of this machine.
import { spawn } from "node:child_process";
import { createHmac, randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as dial, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY = process.env.ROOST_BINARY ?? fileURLToPath(new URL("../../../../.build/release/roost", import.meta.url));
const SECRET = randomBytes(32).toString("hex");

const given = new Set();

/**
 * Below the range from which the kernel takes ports for outgoing connections, so that nobody has it by chance when its
 * owner begins, or ends and comes back.
 */
async function freePort() {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (given.has(port)) continue;
    const probe = createServer();
    const isFree = new Promise((resolve) => probe.once("listening", () => resolve(true)).once("error", () => resolve(false)));
    probe.listen(port, "127.0.0.1");
    if (!(await isFree)) continue;
    probe.close();
    await once(probe, "close");
    given.add(port);
    return port;
  }
}

/** What `attempt` gives once it is true. */
export async function eventually(what, attempt, seconds = 120) {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await attempt();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A token as a backend makes it (HS256). */
export function token(user, claims = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name: user, exp, ...claims })}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

export class Cluster {
  #folder = mkdtempSync(join(tmpdir(), "roost-js-"));
  #processes = [];
  #proxies = [];
  #redis;
  #redisPort;
  #redisProcess;

  async start(command, args) {
    const process_ = spawn(command, args, {
      env: { ...process.env, ROOST_SECRET: SECRET },
      stdio: ["ignore", "ignore", "pipe"],
    });
    process_.log = "";
    process_.stderr.on("data", (text) => (process_.log = (process_.log + text).slice(-4_000)));
    process_.ended = once(process_, "exit");
    this.#processes.push(process_);
    await once(process_, "spawn");
    return process_;
  }

  async redis() {
    const port = (this.#redisPort ??= await freePort());
    const where = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", this.#folder];
    this.#redisProcess = await this.start("redis-server", [...where, "--save", ""]);
    await eventually("redis answers", () => {
      const { exitCode, log } = this.#redisProcess;
      if (exitCode !== null) throw new Error(`redis-server ended with ${exitCode}: ${log}`);
      return answers(port);
    });
    this.#redis = `redis://127.0.0.1:${port}`;
    return this;
  }

  /** With all that it knew. */
  async killRedis() {
    this.#redisProcess.kill("SIGKILL");
    await this.#redisProcess.ended;
  }

  /** A ready node: its port, and the process. */
  async node(...settings) {
    const port = await freePort();
    const where = ["--host", "127.0.0.1", "--port", `${port}`, ...(this.#redis ? ["--redis-url", this.#redis] : [])];
    const node = await this.start(BINARY, ["serve", ...where, ...settings]);
    await eventually("the node is ready", async () => {
      if (node.exitCode !== null) throw new Error(`the node ended with ${node.exitCode}: ${node.log}`);
      return fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false);
    });
    return { port, process: node, url: `ws://127.0.0.1:${port}/ws` };
  }

  async proxy(...ports) {
    const proxy = await new Proxy(ports).listen();
    this.#proxies.push(proxy);
    return proxy;
  }

  async stop() {
    for (const proxy of this.#proxies) await proxy.close();
    for (const each of this.#processes.reverse()) {
      if (each.exitCode === null && each.signalCode === null) each.kill("SIGKILL");
      await each.ended;
    }
    rmSync(this.#folder, { recursive: true });
  }
}

async function answers(port) {
  const link = dial(port, "127.0.0.1");
  try {
    await once(link, "connect");
    return true;
  } catch {
    return false;
  } finally {
    link.destroy();
  }
}

/** Hands connections on, each to the next port, and cuts them when told. */
class Proxy {
  #server;
  #links = new Set();
  #turn = 0;
  count = 0;

  constructor(ports) {
    this.ports = ports;
    this.#server = createServer((client) => this.#accept(client));
  }

  async listen() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = this.#server.address().port;
    this.url = `ws://127.0.0.1:${this.port}/ws`;
    return this;
  }

  #accept(client) {
    this.count += 1;
    const server = dial(this.ports[this.#turn++ % this.ports.length], "127.0.0.1");
    const cut = () => {
      client.destroy();
      server.destroy();
      this.#links.delete(cut);
    };
    this.#links.add(cut);
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on("error", cut).on("close", cut).pipe(to);
    }
  }

  /** Ends every connection in the middle of whatever it does. */
  cut() {
    for (const cut of [...this.#links]) cut();
  }

  async close() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
