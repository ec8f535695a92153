#!/usr/bin/env python3
"""The backend of docs/TUTORIAL.md: who one is, and news for a room. Python's standard library, no packages.

Reads `secret`, which it shares with the nodes and signs tokens with, and `api-key`, which opens their HTTP API.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import time
import urllib.error
import urllib.request
import uuid

PORT = int(os.environ.get("PORT", "8000"))
ROOST = os.environ.get("ROOST", "http://localhost:8080")
HERE = pathlib.Path(__file__).resolve().parent
PAGES = {
    "/": (HERE / "index.html", "text/html; charset=utf-8"),
    "/chat.js": (HERE / "chat.js", "text/javascript"),
    "/client.js": (HERE.parents[1] / "clients/js/roost.js", "text/javascript"),
}


def secret(name):
    """A file's contents without the line end that `openssl rand` and editors leave."""
    return pathlib.Path(name).read_bytes().rstrip(b"\r\n")


def token(user):
    """A JSON Web Token (RFC 7519) that says who somebody is, for ten minutes and one room."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    now = int(time.time())
    claims = {"sub": user, "name": user.title(), "iat": now, "exp": now + 600}
    claims["rooms"] = {"join": ["general"], "send": ["general"]}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(secret("secret"), signed, hashlib.sha256))).decode()


def publish(room, content):
    """Puts a message into a room. With an id it may be sent again and is stored once, so a failure is tried again."""
    message = {"room": room, "id": str(uuid.uuid4()), "sender": {"id": "backend", "name": "The backend"}}
    message["payload"] = {"content": content}
    headers = {"Authorization": "Bearer " + secret("api-key").decode(), "Content-Type": "application/json"}
    request = urllib.request.Request(ROOST + "/api/publish", json.dumps(message).encode(), headers)
    for attempt in range(3):
        try:
            with urllib.request.urlopen(request, timeout=8) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 503 or attempt == 2:
                raise
            time.sleep(float(error.headers["Retry-After"]))


class Backend(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/roost":
            return self.answer(200, {"url": ROOST.replace("http", "ws", 1) + "/ws"})
        if self.path not in PAGES:
            return self.answer(404, {"error": "not found"})
        file, kind = PAGES[self.path]
        self.send(200, kind, file.read_bytes())

    def do_POST(self):
        # A page from elsewhere cannot send this type without being asked first, which is not answered.
        if self.headers["Content-Type"] != "application/json":
            return self.answer(415, {"error": "send JSON"})
        try:
            asked = json.loads(self.rfile.read(min(int(self.headers["Content-Length"]), 10_000)))
            if self.path == "/token":
                # Yours knows from its session who asks, and never believes a name that the request holds.
                if not re.fullmatch("[a-z]{1,20}", asked["name"]):
                    return self.answer(400, {"error": "a name is 1 to 20 of a-z"})
                return self.answer(200, {"token": token(asked["name"])})
            if self.path == "/announce":
                return self.answer(200, publish("general", str(asked["text"])[:500]))
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "that is not what I expected"})
        except OSError as error:
            return self.answer(502, {"error": f"Roost says: {error}"})
        self.answer(404, {"error": "not found"})

    def answer(self, status, body):
        self.send(status, "application/json", json.dumps(body).encode())

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print(f"Open http://localhost:{PORT}/", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Backend).serve_forever()
