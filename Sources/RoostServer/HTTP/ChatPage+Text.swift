extension ChatPage {
  static let head = """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Roost</title>

    """

  static let style = """
    :root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
    body { max-width: 46rem; margin: 0 auto; padding: 1rem; display: grid; gap: .8rem;
      grid-template-rows: auto auto 1fr auto; height: 100vh; box-sizing: border-box; }
    h1 { font-size: 1.2rem; margin: 0; }
    h1 small { font-weight: normal; opacity: .7; }
    form { display: flex; gap: .5rem; flex-wrap: wrap; }
    input { flex: 1 1 8rem; min-width: 0; padding: .5rem; font: inherit; }
    button { padding: .5rem 1rem; font: inherit; }
    ol { list-style: none; margin: 0; padding: .5rem; overflow-y: auto; border: 1px solid #8886; border-radius: .4rem; }
    li { overflow-wrap: anywhere; }
    li b { margin-right: .4rem; }
    li.event { opacity: .65; font-style: italic; }
    """

  static let markup = """
    <h1>Roost <small id="state" role="status">not connected</small></h1>
    <form id="enter">
      <input id="token" placeholder="token (roost token --user ann)" aria-label="Token" required autocomplete="off">
      <input id="room" value="general" aria-label="Room" required>
      <button>Join</button>
    </form>
    <ol id="log" aria-live="polite"></ol>
    <form id="say">
      <input id="text" placeholder="message" aria-label="Message" autocomplete="off" disabled>
      <button>Send</button>
    </form>

    """

  static let script = #"""
    "use strict";
    const $ = id => document.getElementById(id);
    const link = new URLSearchParams(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
    for (const field of ["token", "room"]) if (link.get(field)) $(field).value = link.get(field);
    let socket, room, me, delay = 500, counter = 0, lastTyping = 0;
    const waiting = new Map();

    function show(who, what, isEvent) {
      const line = document.createElement("li");
      if (isEvent) line.className = "event";
      if (who) { const name = document.createElement("b"); name.textContent = who; line.append(name); }
      line.append(what);
      $("log").append(line);
      line.scrollIntoView();
      return line;
    }
    const said = payload =>
      typeof payload === "string" ? payload : payload && payload.content || JSON.stringify(payload);
    const state = text => { $("state").textContent = text; };
    const send = message => { if (socket && socket.readyState === 1) socket.send(JSON.stringify(message)); };

    const handlers = {
      room_info(m) {
        state(`${m.payload.room_id}: ${m.payload.count} here`);
        show("", `in ${m.payload.room_id} with ${m.payload.users.map(u => u.name).join(", ")}`, true);
        for (const message of waiting.values()) send(message);
      },
      new_message(m) { show(m.sender ? m.sender.name : "?", said(m.payload)); },
      ack(m) {
        const line = waiting.get(m.id);
        if (line) { waiting.delete(m.id); show(me, said(line.payload)); }
      },
      user_joined(m) { show("", `${m.sender.name} joined`, true); },
      user_left(m) { show("", `${m.sender.name} left`, true); },
      user_typing(m) { state(`${m.sender.name} is typing`); },
      user_stopped_typing() { state(`in ${room}`); },
      private(m) { show(`${m.sender.name} (to you)`, said(m.payload)); },
      chat(m) { show(`${m.sender.name} (to all)`, said(m.payload)); },
      notification(m) { show(m.payload.title, m.payload.body, true); },
      resync() { show("", "some messages were lost to you", true); },
      error(m) {
        show("", `${m.payload.code}: ${m.payload.message}`, true);
        if (m.payload.code !== "RELAY_UNAVAILABLE") waiting.delete(m.id);
      },
    };

    function connect() {
      const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
      socket = new WebSocket(url, ["roost.v1", `bearer.${$("token").value.trim()}`]);
      state("connecting");
      socket.onopen = () => {
        delay = 500;
        $("text").disabled = false;
        send({type: "join_room", payload: {room_id: room}});
      };
      socket.onmessage = event => { const m = JSON.parse(event.data); (handlers[m.type] || (() => {}))(m); };
      socket.onclose = event => {
        $("text").disabled = true;
        state(`closed (${event.code})`);
        if (event.code === 1000 || event.code >= 4500) return;
        setTimeout(connect, Math.random() * delay);
        delay = Math.min(delay * 2, 15000);
      };
    }
    $("enter").onsubmit = event => {
      event.preventDefault();
      room = $("room").value.trim();
      try { const claims = JSON.parse(atob($("token").value.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
        me = claims.name || claims.sub || claims.user_id; } catch { me = "me"; }
      if (socket) { socket.onclose = null; socket.close(1000); }
      connect();
    };
    $("say").onsubmit = event => {
      event.preventDefault();
      if (!$("text").value) return;
      const id = `${Date.now()}-${++counter}`;
      const message = {type: "send_message", room, id, payload: {content: $("text").value}};
      waiting.set(message.id, message);
      send(message);
      $("text").value = "";
    };
    $("text").oninput = () => {
      if (Date.now() - lastTyping > 3000) { lastTyping = Date.now(); send({type: "typing", room}); }
    };
    if (link.get("token")) $("enter").requestSubmit();
    """#
}
