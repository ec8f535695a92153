// The page of docs/TUTORIAL.md.
import { connect } from "/client.js";

const $ = (id) => document.getElementById(id);

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

async function enter(name) {
  const { url } = await (await fetch("/roost")).json();
  // Asked for a token before each connection, and when one is about to end.
  const roost = connect(url, { token: async () => (await post("/token", { name })).token });
  const people = new Map();

  roost.on("state", ({ state }) => { $("state").textContent = state; });
  roost.on("error", ({ payload }) => show("!", `${payload.code}: ${payload.message}`));
  roost.on("resync", ({ payload }) => show("!", `some messages are missing (${payload.reason})`));
  roost.on("new_message", (message) => show(message.sender?.name, message.payload.content));

  // `room_info` comes again after each reconnect.
  roost.on("room_info", ({ payload }) => { people.clear(); payload.users.forEach(come); });
  roost.on("user_joined", ({ payload }) => come(payload));
  roost.on("user_left", ({ payload }) => { people.delete(payload.id); tellPeople(); });
  roost.on("user_typing", ({ payload }) => { $("typing").textContent = `${payload.name} is typing`; });
  roost.on("user_stopped_typing", () => { $("typing").textContent = ""; });

  function come(user) { people.set(user.id, user.name); tellPeople(); }
  function tellPeople() { $("people").textContent = [...people.values()].join(", "); }
  function show(who, text) {
    const line = document.createElement("li");
    line.textContent = `${who}: ${text}`;
    $("messages").append(line);
  }

  const input = $("say").elements.text;
  input.addEventListener("input", () => roost.typing("general"));
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value;
    input.value = "";
    roost.stopTyping("general");
    // Kept when the message is stored, however often the connection breaks until then. Failures are told by `error`.
    roost.sendMessage("general", text).then(() => show("You", text), () => {});
  });
  $("announce").addEventListener("click", () => {
    post("/announce", { text: input.value || "hello" }).catch((error) => show("!", error.message));
  });

  $("enter").hidden = true;
  document.querySelector("main").hidden = false;
  await roost.joinRoom("general", { history: 50 });
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("enter").elements.user.value).catch((error) => { $("state").textContent = error.message; });
});
// http://localhost:8000/#ann enters at once.
if (location.hash) enter(location.hash.slice(1)).catch((error) => { $("state").textContent = error.message; });
