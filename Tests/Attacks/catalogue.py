"""The attacks: what each sends, what the node is told besides its defaults, and what must be in its own numbers then.

An attack is made by a function of the scene (`made`, the processes; `node`, the one attacked; `tokens`, those of the
attacker's users) before the crowd is there. What it returns runs for so many seconds and has numbers.
"""

import dataclasses
import json
import os
import subprocess

import cluster
import flood
import hostile
import tokens

# One of each sort.
SHORT = ["slow headers", "fragments of a byte", "pings", "1 GiB bomb", "bad tokens"]
OFFER = "Sec-WebSocket-Extensions: permessage-deflate"


@dataclasses.dataclass
class Attack:
    name: str
    make: object
    # What the node must have counted; any of them.
    expects: tuple = ()
    flags: tuple = ()
    is_secure: bool = False
    # The attack takes so long to show what it is.
    least_seconds: int = 0


class Program(flood.Attacker):
    """Somebody else's attacker; one that comes from where the crowd comes from, and so has no limit by address."""

    def __init__(self, scene, *command, connections=0):
        super().__init__(scene.node.port)
        self.command, self.environment, self.planned = command, scene.made.environment, connections

    def run(self, seconds):
        words = [str(word).format(seconds=seconds) for word in self.command]
        ran = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=False, timeout=seconds + 60
        )
        assert ran.returncode in (0, 1), f"{words[0]} ended with {ran.returncode}: {ran.stdout[-500:]}{ran.stderr[-500:]}"
        self.connections = self.planned or json.loads(ran.stdout)["deliveries"]


def slow(*mode):
    """Debian's slowhttptest: 1,500 connections, 300 new ones a second, each of which says a little every second."""

    def make(scene):
        rates = ("-c", 1500, "-r", 300, "-i", 1, "-l", "{seconds}", "-p", 3)
        return Program(scene, "slowhttptest", *mode, *rates, "-u", f"http://127.0.0.1:{scene.node.port}/ws", connections=1500)

    return make


def talk(content, opening=b"", lines=(), count=60, path="/ws", **options):
    """Connections of users with good tokens that send `content` without end."""

    def make(scene):
        handshakes = [hostile.request(token, *lines, path=path) for token in scene.tokens]
        made = content() if callable(content) else content
        return flood.Flood(scene.node.port, handshakes, made, count, opening, **options)

    return make


def join(room):
    return hostile.says("join_room", payload={"room_id": room})


def churn():
    rooms = [f"churn-{room}" for room in range(50)]
    return b"".join(join(room) + hostile.says("leave_room", payload={"room_id": room}) for room in rooms)


def wide_json():
    """As many keys as a message has room for."""
    keys = ",".join(f'"{number}":0' for number in range(480))
    return hostile.frame(b'{"type":"send_message","room":"r","payload":{' + keys.encode() + b"}}") * 20


def no_http(scene):
    return flood.Flood(scene.node.port, (), os.urandom(65_536))


def large_heads(scene):
    """Requests of nearly 8 KiB in 60 lines whose last is wrong."""
    lines = [f"X-{number}: " + "x" * 100 for number in range(50)]
    return flood.Knocks(scene.node.port, hostile.request("x" * 2000, *lines, "bad line"))


def connects(scene):
    """Our own generator with good tokens: an attacker written as well as the node."""
    command = (cluster.BINARY, "bench", "connect", "--url", scene.node.url, "--warm", 0, "--time", "{seconds}", "--json")
    return Program(scene, *command)


def hellos(scene):
    return flood.Knocks(scene.node.port, hostile.client_hello())


def bad_tokens(scene):
    return flood.Knocks(scene.node.port, *(hostile.request(token) for token in tokens.bad(scene.made.secret).values()))


def compressed(content):
    return hostile.frame(content, is_compressed=True)


PING = hostile.frame(b"x" * 125, opcode=9) * 500
NO_END = hostile.frame(b"{", is_final=False) + hostile.frame(b" ", opcode=0, is_final=False) * 5000
HALF = hostile.frame(b"[" * 4000, is_final=False)
DEEP = hostile.frame(b'{"type":"send_message","room":"r","payload":' + b"[" * 4000)
MESSAGE = hostile.says("send_message", room="r", payload="x" * 3900)
HISTORY = hostile.says("history", payload={"room_id": "bench-0", "limit": 100})
ZIP = ("--compression", "on")
# A message of 1 MiB must be let in, or it is its length that is refused: only the echo endpoint takes such.
BOMBS = (*ZIP, "--echo", "--echo-message-size", "2m", "--bytes-per-second", "0")
IGNORED = ("rate_limit_ignored",)

ATTACKS = [
    Attack("slow headers", slow("-H", "-x", 10), ("timeout",), least_seconds=8),
    Attack("slow headers, full", slow("-H", "-x", 10), ("crowded_out",), ("--handshakes", "256")),
    Attack("slow bodies", slow("-B", "-s", 8192), ("malformed", "not_upgrade")),
    Attack("no HTTP", no_http, ("malformed",)),
    Attack("large heads", large_heads, ("malformed",)),
    Attack("bad tokens", bad_tokens, ("token",), ("keys",)),
    Attack("connects", connects),
    Attack("TLS hellos", hellos, ("tls",), is_secure=True),
    Attack("fragments of a byte", talk(NO_END), ("too_many_fragments",)),
    Attack("unfinished messages", talk(b"", HALF, count=1000), ("unfinished_message",), least_seconds=8),
    Attack("pings", talk(PING), ("control_flood",)),
    Attack("pings, pongs unread", talk(PING, reads=False), ("control_flood",)),
    Attack("no JSON", talk(hostile.frame(b"hello") * 500), ("invalid_format",)),
    Attack("deep JSON", talk(DEEP * 50), ("TOO_COMPLEX",)),
    Attack("wide JSON", talk(wide_json, join("r")), IGNORED),
    Attack("messages", talk(MESSAGE * 20, join("r")), IGNORED),
    Attack("join and leave", talk(churn), IGNORED),
    Attack("questions, answers unread", talk(HISTORY * 100, join("bench-0"), reads=False), IGNORED),
    Attack("1 GiB bomb", talk(lambda: compressed(hostile.zeros(1024)), lines=[OFFER], count=8, path="/echo"), ("message_too_big",), BOMBS),
    Attack("small bombs", talk(lambda: compressed(hostile.zeros(3)) * 20, lines=[OFFER]), ("message_too_big",), ZIP),
    Attack("empty blocks", talk(compressed(hostile.blocks(800)) * 20, lines=[OFFER]), ("too_many_blocks",), ZIP),
]
