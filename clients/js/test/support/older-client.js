// A client as the older documents have it: handlers by type, one way to say something, a plain reconnect. It knows nothing
// of acks, positions and ids. Every envelope has a `room`, which is an empty text where the payload names the room.
export class OlderClient {
  constructor(url, token, { WebSocket = globalThis.WebSocket, delay = 50 } = {}) {
    Object.assign(this, { url, token, WebSocket, delay, handlers: {}, isWanted: true });
  }

  connect() {
    this.socket = new this.WebSocket(`${this.url}?token=${this.token}`);
    this.socket.onopen = () => this.handle({ type: "open" });
    this.socket.onmessage = (event) => this.handle(JSON.parse(event.data));
    this.socket.onerror = () => {};
    this.socket.onclose = () => this.isWanted && setTimeout(() => this.connect(), this.delay);
  }

  on(type, handler) {
    this.handlers[type] = handler;
  }

  handle(message) {
    this.handlers[message.type]?.(message);
  }

  send(type, payload, room = "") {
    this.socket.send(JSON.stringify({ type, room, payload, timestamp: new Date().toISOString() }));
  }

  joinRoom(roomId) {
    this.send("join_room", { room_id: roomId });
  }

  leaveRoom(roomId) {
    this.send("leave_room", { room_id: roomId });
  }

  sendMessage(roomId, content) {
    this.send("send_message", { room_id: roomId, content });
  }

  typing(roomId) {
    this.send("typing", { room_id: roomId });
  }

  close() {
    this.isWanted = false;
    this.socket.close();
  }
}
