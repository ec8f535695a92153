// The dashboard: asks the API every two seconds, shows the answers, and keeps fifteen minutes of them.

import { $, figure, say } from "../dom.js";
import { API, Refused, keepKey, keptKey } from "./api.js";
import { Chart } from "./chart.js";
import { EventLog } from "./events.js";
import { MessageRates, NodeMetrics, sampleOf } from "./metrics.js";
import { NodeTable, RoomList, confirmed, showRoom, showSlow, showUser } from "./panels.js";

const INTERVAL = 2_000;
const ROOM_PAGES = 5;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @type {API} */ let api;
const events = new EventLog();
const metrics = new NodeMetrics();
const rates = new MessageRates();
const table = new NodeTable(drain);
const roomList = new RoomList((room) => attempt(async () => showRoom(await api.room(room), disconnect)));
const milliseconds = (value) => (value < 1 ? `${value.toFixed(2)} ms` : `${figure(value)} ms`);
const charts = {
  online: new Chart("Online", figure),
  messages: new Chart("Messages/s", figure),
  deliveries: new Chart("Deliveries/s", figure),
  latency: new Chart("Relay latency, p99", milliseconds),
};

// Asking

/** One of the answers; what is wrong with it is shown, and the others go on. */
async function ask(question, show) {
  try {
    show(await question());
    return undefined;
  } catch (error) {
    return error;
  }
}

async function poll(round) {
  const problems = await Promise.all([
    ask(api.nodes, showNodes), ask(api.online, showOnline), ask(api.slow, showSlow),
    ask(() => api.metrics(), showMetrics),
    ...(round % 2 === 0 ? [ask(() => api.rooms(ROOM_PAGES), (told) => roomList.show(told))] : []),
  ]);
  const [nodes] = problems;
  const key = problems.find((problem) => problem instanceof Refused && problem.isKey);
  if (key) throw key;
  const now = performance.now();
  for (const chart of Object.values(charts)) chart.draw(now);
  const isThere = problems.some((problem) => !problem);
  $("state").dataset.state = isThere ? (nodes ? "waiting" : "open") : "closed";
  say($("state"), isThere ? (nodes ? "Not all is known" : "Live") : "No answer");
  if (isThere) say($("asked"), `as of ${clock.format(new Date())}`);
  say($("nodes-note"), nodes ? `not known now: ${nodes instanceof Refused ? nodes.message : "no answer"}` : "");
  $("nodes").classList.toggle("is-stale", Boolean(nodes));
}

async function watch() {
  for (let round = 0; ; round += 1) {
    await poll(round);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

// Showing

function showNodes({ nodes }) {
  const sorted = [...nodes].sort((one, other) => one.node.localeCompare(other.node));
  const at = performance.now();
  const perSecond = rates.take(sorted, at);
  const all = [...perSecond.values()].reduce((sum, rate) => sum + rate, 0);
  if (perSecond.size > 0) charts.messages.add("cluster", all, at);
  events.nodes(sorted);
  table.show(sorted, perSecond);
}

const RELAY_WORDS = { suspect: "slow", degraded: "away", recovering: "coming back" };

function showOnline(answer) {
  const known = answer.scope === "cluster" ? answer : answer.last_known ?? answer;
  say($("online"), figure(known.online));
  say($("users"), figure(known.users));
  charts.online.add("cluster", known.online, performance.now());
  events.relay(answer.relay, answer.trouble);
  say($("relay"), RELAY_WORDS[answer.relay] ?? answer.relay);
  $("relay").dataset.state = answer.relay === "connected" ? "good" : "bad";
  const trouble = answer.trouble?.replaceAll("_", " ");
  say($("relay-note"), trouble ?? (answer.scope === "cluster" ? "messages are relayed" : "numbers are the last known"));
}

function showMetrics(text) {
  const at = performance.now();
  const now = metrics.take(sampleOf(text, at));
  charts.deliveries.add(now.node, now.deliveries, at);
  charts.latency.add(now.node, now.slowest, at);
  events.presence(now);
}

// Doing

/** What was asked for by hand: its failure is said. @param {() => Promise<void>} work */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say($("done"), `That did not work: ${error.message}.`);
  }
}

function drain(node) {
  return attempt(async () => {
    const isMeant = await confirmed({
      title: `Drain ${node}?`, yes: "Drain",
      text: "It takes no new connections, sends its clients to other nodes one after the other, and ends.",
    });
    if (!isMeant) return;
    await api.drain(node);
    say($("done"), `${node} has been told to drain.`);
    events.tell(`${node} was told to drain from here`);
  });
}

function disconnect(user, name) {
  return attempt(async () => {
    const isMeant = await confirmed({
      title: `Disconnect ${name}?`, yes: "Disconnect",
      text: "All connections of this user are closed, on all nodes, and do not come back by themselves.",
    });
    if (!isMeant) return;
    const { connections } = await api.disconnect(user);
    const said = `${name}: ${connections === 1 ? "1 connection was" : `${connections} connections were`} closed.`;
    say($("done"), said);
    events.tell(said);
    /** @type {HTMLDialogElement} */ ($("room")).close();
    $("found").replaceChildren();
  });
}

// From the beginning

function askKey(trouble) {
  const field = /** @type {HTMLInputElement} */ ($("key"));
  $("entry-trouble").hidden = !trouble;
  say($("entry-trouble"), trouble);
  $("entry").hidden = false;
  $("dashboard").hidden = true;
  field.focus();
  return new Promise((resolve) => {
    $("developer").onclick = async () => {
      const answer = await fetch("/development/token?name=dashboard&role=admin");
      resolve((await answer.json()).token);
    };
    $("entry-form").onsubmit = (event) => {
      event.preventDefault();
      const key = field.value.trim();
      field.value = "";
      if (key) resolve(key);
    };
  });
}

async function begin() {
  let trouble = "";
  for (;;) {
    const key = keptKey() || await askKey(trouble);
    keepKey(key);
    api = new API(key);
    $("entry").hidden = true;
    $("dashboard").hidden = false;
    try {
      await watch();
    } catch (error) {
      keepKey("");
      trouble = error.status === 403 ? "That token is not an admin's." : "The key or token is not good.";
    }
  }
}

$("leave").addEventListener("click", () => {
  keepKey("");
  location.reload();
});
$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = /** @type {HTMLInputElement} */ ($("find-id")).value;
  attempt(async () => showUser(await api.user(id), disconnect));
});
fetch("/development").then((answer) => answer.json()).then(({ development }) => {
  $("development").hidden = $("developer").hidden = !development;
}, () => {});
begin();
