// The browser's own API (Node 20, --experimental-websocket). A browser cannot set headers, so the token travels as a
// subprotocol, in today's form or in the older one of a single entry.
import { converse, received, talk } from "./conversation.mjs";

const older = process.argv[3] === "older";
const offered = older ? [talk.token] : ["roost.v1", `bearer.${talk.token}`];
const socket = new WebSocket(talk.url, offered);
const closed = new Promise((resolve) => socket.addEventListener("close", (event) => resolve(event.code)));

socket.addEventListener("message", ({ data }) => received(data));
socket.addEventListener("error", () => {
  throw new Error("the browser API refused the connection");
});
socket.addEventListener("open", async () => {
  if (socket.protocol !== offered[0]) throw new Error(`the server chose ${socket.protocol}`);
  await converse(
    (text) => socket.send(text),
    () => (socket.close(1000), closed),
  );
});
