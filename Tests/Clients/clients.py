"""Clients nobody here wrote, and the conversation that any two of them have.

Each client is a program that gets its part as one JSON argument, prints `joined`, waits for the line `go`, talks, and
prints `done`; any mismatch ends it with another status and a reason.
"""

import json
import os
import pathlib
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
NODE = ["node", "--no-warnings", "--experimental-websocket"]


def kinds(python):
    """Client by name; `python` is an interpreter that has `websockets`."""
    return {
        "python-websockets": [python, str(HERE / "client.py")],
        "python-compressed": [python, str(HERE / "client.py")],
        "browser-api": [*NODE, str(HERE / "browser.mjs")],
        "browser-api-older-form": [*NODE, str(HERE / "browser.mjs")],
        "node-ws": ["node", str(HERE / "node-ws.mjs")],
        "java-http": ["java", "-XX:TieredStopAtLevel=1", str(HERE / "Client.java")],
    }


def payload(user):
    """Bytes that every careless server changes: spaces, number forms, escapes, key order, text outside ASCII."""
    return '{"content":"grüße \\u00e9\\/ 🐓 <&>", "n":1.50,"big":12345678901234567890,  "z":null,"a":[1, 2,{}],"by":"%s"}' % user


class Person:
    """One client program."""

    def __init__(self, kind, command, part):
        self.kind = kind
        extra = ["older"] if kind.endswith("older-form") else ["compressed"] if kind.endswith("compressed") else []
        self.process = subprocess.Popen(
            [*command, json.dumps(part), *extra],
            env={**os.environ, "NODE_PATH": "/usr/share/nodejs"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # A client that hangs must not hang the test.
        self.watchdog = threading.Timer(240, self.process.kill)
        self.watchdog.start()

    def said(self, what):
        line = self.process.stdout.readline().strip()
        if line != what:
            self.process.kill()
            raise AssertionError(f"{self.kind} said {line!r} instead of {what}\n{self.process.stderr.read()}")

    def tell(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()

    def finished(self):
        self.said("done")
        status = self.process.wait()
        assert status == 0, f"{self.kind} ended with {status}\n{self.process.stderr.read()}"

    def end(self):
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()


def converse(commands, first, second, urls, token, number, together=lambda: None):
    """Two clients join one room, `together` looks at the cluster while both are in, then they talk and part.

    `number` makes rooms and users of one conversation strangers to those of another.
    """
    room = f"conversation-{number}"
    users = [str(10_000 + 2 * number), str(10_001 + 2 * number)]
    names = [f"Ädä {number}", f"Bo {number}"]
    people = []
    try:
        for index, kind in enumerate((first, second)):
            part = {
                "url": urls[index],
                "token": token(users[index], names[index]),
                "room": room,
                "first": index == 0,
                "me": users[index],
                "peer": users[1 - index],
                "peer_name": names[1 - index],
                "message_id": f"m-{users[index]}",
                "payload": payload(users[index]),
                "peer_payload": payload(users[1 - index]),
            }
            people.append(Person(kind, commands[kind], part))
            people[-1].said("joined")
        together()
        for person in people:
            person.tell("go")
        for person in people:
            person.finished()
    finally:
        for person in people:
            person.end()
