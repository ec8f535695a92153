// Debian's node-ws (`ws` on npm). The token travels in the query.
import { createRequire } from "node:module";
import { converse, received, talk } from "./conversation.mjs";

const WebSocket = createRequire(import.meta.url)("ws"); // found through NODE_PATH
const url = new URL(talk.url);
url.searchParams.set("token", talk.token);
const socket = new WebSocket(url);
const closed = new Promise((resolve) => socket.on("close", resolve));

socket.on("message", (data, isBinary) => {
  if (isBinary) throw new Error("a binary frame instead of text");
  received(data.toString());
});
socket.on("open", () =>
  converse(
    (text) => socket.send(text),
    () => (socket.close(1000), closed),
  ),
);
