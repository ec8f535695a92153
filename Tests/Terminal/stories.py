"""What must be so when somebody sits at a terminal with `roost chat` or `roost status`."""

import json
import signal
import subprocess
import urllib.request

from terminal import Terminal


class Place:
    """A node, and programs that talk to it."""

    def __init__(self, cluster, binary, port, key):
        self.cluster, self.binary, self.port, self.key = cluster, binary, port, key
        self.rooms = 0

    def room(self):
        """One that nobody was in."""
        self.rooms += 1
        return f"room{self.rooms}"

    def command(self, command, *words):
        scheme = "ws" if command == "chat" else "http"
        return [self.binary, command, "--url", f"{scheme}://127.0.0.1:{self.port}", *words]

    def environment(self, user, name=None, **more):
        return {"ROOST_TOKEN": self.cluster.token(user, name or user), "ROOST_API_KEY": self.key, **more}

    def chat(self, user, room, *words, name=None, environment={}, **how):
        command = self.command("chat", "--room", room, *words)
        return Terminal(command, self.environment(user, name, **environment), **how)

    def status(self, *words, environment={}, **how):
        return Terminal(self.command("status", *words), {"ROOST_API_KEY": self.key, **environment}, **how)

    def piped(self, user, room, *words, name=None):
        """A chat without a terminal, to write to and to read from."""
        command = self.command("chat", "--room", room, *words)
        return Piped(command, self.environment(user, name))

    def api(self, path):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", b"{}", {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


class Piped:
    """A context: a program between two pipes."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.process.kill()
        self.process.communicate()

    def hears(self, text):
        """The line with `text` in it; waits for it, or for the end of all lines."""
        for line in self.process.stdout:
            if text in line.decode():
                return line.decode()
        raise AssertionError(f"not heard: {text}")

    def say(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()


def editing(place):
    """A line is typed, changed, and stays as it is while others speak; Ctrl-D ends it."""
    room = place.room()
    with place.piped("ben", room) as ben, place.chat("anna", room) as anna:
        anna.asks(f"{room}> ")
        ben.hears("anna came into")
        anna.type("helo")
        anna.asks(f"{room}> helo")
        ben.say("one")
        anna.shows(f"[{room}] ben: one")
        anna.asks(f"{room}> helo")
        anna.type("\x1b[D")
        anna.asks(f"{room}> helo", cursor=len(room) + 5)
        anna.type("l")
        anna.asks(f"{room}> hello", cursor=len(room) + 6)
        ben.say("two")
        anna.shows("ben: two")
        anna.asks(f"{room}> hello", cursor=len(room) + 6)
        anna.type("\x05 wörld 你好x\x7f!\r")
        anna.asks(f"{room}> ")
        ben.hears("anna: hello wörld 你好!\n")
        rows = anna.rows[-4:]
        assert rows == [f"[{room}] ben: one", f"[{room}] ben: two", f"{room}> hello wörld 你好!", f"{room}>"], rows
        # Words, both ends, earlier lines.
        anna.type("some old words\x17\x17")
        anna.asks(f"{room}> some ")
        anna.type("\x01good \x0b")
        anna.asks(f"{room}> good ")
        anna.type("\x1b[A")
        anna.until("the line before", lambda: "hello w" in anna.last)
        anna.type("\x1b[B")
        anna.asks(f"{room}> good ")
        anna.type("\x1b[1~\x1b[3~G\x1b[4~bye\x1b[5~\x1bOC\x1bx\r")
        ben.hears("anna: Good bye\n")
        anna.asks(f"{room}> ")
        # Several lines at once, as when they are pasted, and a command among them.
        anna.type("first\n/who\nsecond\n")
        anna.shows(f"{room}: 2: ")
        ben.hears("anna: first\n")
        ben.hears("anna: second\n")
        anna.asks(f"{room}> ")
        anna.type("\x0c")
        anna.until("an empty screen but for the prompt", lambda: anna.rows == [f"{room}>"])
        anna.type("\x04")
        assert anna.ended() == 0
        assert anna.rows == [] and anna.screen.cursor.x == 0, anna.rows
        anna.is_harmless()
        ben.hears(f"anna left {room}")


def typing(place):
    """Others see who types, as long as it is so; nothing is told of pipes and commands."""
    room = place.room()
    with place.chat("anna", room) as anna, place.chat("ben", room) as ben, place.chat("cem", room) as cem:
        for who in (anna, ben, cem):
            who.asks(f"{room}> ")
        ben.type("h")
        anna.saw("(ben is typing)")
        # Erased.
        ben.type("\x7f")
        anna.asks(f"{room}> ")
        ben.type("/rooms")
        ben.asks(f"{room}> /rooms")
        ben.type("\x15")
        anna.mark()
        cem.type("x")
        anna.saw("(cem is typing)")
        anna.type("own words")
        for who in (ben, cem):
            # To ben with or without cem.
            who.saw("(anna is typing)" if who is cem else "typing)")
        # Said.
        cem.type("\r")
        anna.shows(f"[{room}] cem: x")
        anna.asks(f"{room}> own words")
        # Gone without a word, and forgotten.
        anna.mark()
        cem.type("y")
        anna.saw("(cem is typing)")
        cem.type("\x03")
        assert cem.ended() == -signal.SIGINT
        anna.asks(f"{room}> own words")
        with place.piped("dan", room) as dan:
            dan.hears("you are in")
            dan.say("piped")
            anna.shows("dan: piped")
            dan.say("again")
            anna.shows("dan: again")
        for who in (anna, ben):
            said = who.raw.decode()
            assert "dan is typing" not in said and "dan are typing" not in said
            # In the prompt, and not in a line of its own.
            assert not any("typing" in row for row in who.rows[:-1]), who.rows


def strangers(place):
    """What others are called and say does nothing to a terminal."""
    room = place.room()
    # Nodes take no controls in names; the rest is for those who show them.
    evil = "ev\u202eil\u2066\u200f\u200b\ufeff"
    words = ["\x1b]0;owned\x07", "\x9b31mred", "back\x08\x08wards\rover", "\u202eturned\u2069", "zero\u200bwidth\ufeff", "\U000e0041tag", "\x1b[2J\x1b[Hgone", "\x1bc"]
    with place.chat("anna", room) as anna, place.chat("ann", room, "--listen", "--json") as json_lines:
        anna.asks(f"{room}> ")
        json_lines.shows('"joined"')
        with place.piped("evil", room, "--raw", name=evil) as stranger:
            anna.shows("came into")
            stranger.hears("you are in")
            stranger.say(*words, "the end")
            anna.shows("the end")
            json_lines.saw("the end")
        anna.type("\u202ehere\u202c")
        anna.until("a typed line", lambda: "here" in anna.last)
        with place.chat("evil", room, name=evil) as stranger:
            stranger.asks(f"{room}> ")
            anna.mark()
            stranger.type("x")
            anna.saw("is typing")
        anna.type("\r/who\r")
        anna.shows(f"{room}: ")
        anna.asks(f"{room}> ")
        anna.is_harmless()
        json_lines.is_harmless()
        said = [json.loads(line) for line in json_lines.raw.decode().split("\n") if '"new_message"' in line]
        said = [each for each in said if each["sender"]["id"] == "evil"]
        assert [each["payload"]["content"] for each in said] == [*words, "the end"], said
        assert {each["sender"]["name"] for each in said} == {evil}


def widths(place):
    """Narrow windows, wide characters, and windows that change."""
    room = place.room()
    with place.piped("ben", room) as ben, place.chat("anna", room, rows=8, columns=24) as anna:
        anna.asks(f"{room}> ")
        ben.hears("anna came into")
        text = "".join(chr(ord("a") + number % 26) for number in range(60))
        anna.type(text)
        head = f"{room}> "
        anna.asks(head + text[-(23 - len(head)) :])
        assert sum(row.startswith(room) for row in anna.rows) == 1, anna.rows
        anna.type("\x01")
        anna.asks(head + text[: 23 - len(head)], cursor=len(head))
        ben.say("a message that is wider than the window")
        anna.saw("wider than the window")
        anna.asks(head + text[: 23 - len(head)], cursor=len(head))
        anna.resize(8, 60)
        anna.asks(head + text[: 59 - len(head)], cursor=len(head))
        anna.resize(8, 10)
        anna.asks(f"{head[:2]}…> {text[:4]}", cursor=5)
        anna.type("\x05\x15你好吗")
        anna.until("wide characters", lambda: "吗" in anna.last)
        anna.type("\x02\x7f")
        anna.until("one less", lambda: "好" not in anna.last and "你" in anna.last and "吗" in anna.last)
        anna.type("\r")
        ben.hears("anna: 你吗\n")
        anna.resize(8, 3)
        anna.type("x")
        anna.resize(24, 80)
        anna.asks(f"{head}x")
        anna.type("\x15\x04")
        assert anna.ended() == 0


def endings(place):
    """However it ends, the terminal is as it was, and the exit code says how."""
    for keys, number, code in [("\x03", None, -signal.SIGINT), ("\x1c", None, -signal.SIGQUIT)] + [
        ("", number, -number) for number in (signal.SIGTERM, signal.SIGHUP)
    ]:
        room = place.room()
        with place.chat("anna", room) as anna:
            anna.asks(f"{room}> ")
            anna.type("half a")
            anna.asks(f"{room}> half a")
            anna.type(keys) if keys else anna.signal(number)
            assert anna.ended() == code, (keys, number, anna.process.returncode)
            assert not anna.last.startswith(f"{room}>"), anna.rows
    room = place.room()
    with place.chat("anna", room) as anna:
        anna.asks(f"{room}> ")
        anna.type("/fly\r")
        anna.shows("there is no /fly")
        anna.asks(f"{room}> ")
        anna.type("/quit\r")
        assert anna.ended() == 1
    with place.chat("gone", room) as gone:
        gone.asks(f"{room}> ")
        place.api("/api/users/gone/disconnect")
        gone.shows("the server ended the connection")
        assert gone.ended() == 1
        assert not gone.last.startswith(f"{room}>"), gone.rows
    with Terminal([place.binary, "chat", "--url", "ws://127.0.0.1:1"], place.environment("anna")) as nobody:
        nobody.shows("the server cannot be reached")
        assert nobody.ended() == 1
        assert len(nobody.rows) == 1, nobody.rows


def shells(place):
    """Ctrl-Z gives the terminal to the shell and takes it back; what was typed is still there."""
    room = place.room()
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(shell, place.environment("anna", PS1="shell: ", ROOM=room)) as bash:
        bash.until("a shell", lambda: bash.last == "shell:")
        bash.type(" ".join(place.command("chat", "--room", "$ROOM")) + "\n")
        bash.asks(f"{room}> ")
        bash.type("half")
        bash.asks(f"{room}> half")
        bash.type("\x1a")
        bash.shows("Stopped")
        bash.until("a shell", lambda: bash.last == "shell:")
        bash.type("stty -a | grep -o ' icanon\\| echo ' | tr -d '\\n'\n")
        bash.until("the modes of the shell", lambda: any(" icanon echo" in row for row in bash.rows))
        bash.type("fg\n")
        bash.asks(f"{room}> half")
        bash.type("\x04\x15\x04")
        bash.until("a shell again", lambda: bash.last == "shell:")
        bash.type("echo code $?\n")
        bash.shows("code 0")


def plain(place):
    """Styles only on a terminal that wants them; nothing but text anywhere else."""
    room = place.room()
    with place.piped("ben", room) as ben:
        ben.hears("you are in")
        with place.chat("anna", room) as anna:
            anna.asks(f"{room}> ")
            ben.say("colours")
            anna.shows("colours")
            assert b"\x1b[36m" in anna.styles
        with place.chat("anna", room, environment={"NO_COLOR": "1"}) as anna:
            anna.asks(f"{room}> ")
            ben.say("none")
            anna.shows("none")
            assert anna.styles == set()
        with place.chat("anna", room, environment={"TERM": "dumb"}) as anna:
            anna.shows("you are in")
            ben.say("dumb")
            anna.shows("ben: dumb")
            anna.type("typed\n")
            ben.hears("anna: typed")
            anna.type("\x04")
            assert anna.ended() == 0
            assert b"\x1b" not in anna.raw
        folder = place.cluster.folder
        with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
            with place.chat("anna", room, output=output) as anna:
                anna.shows("you are in")
                anna.type("out\n")
                ben.hears("anna: out")
                anna.type("\x04")
                assert anna.ended() == 0
            with place.chat("anna", room, errors=errors) as anna:
                anna.asks(f"{room}> ")
                anna.type("err\r")
                ben.hears("anna: err")
                anna.asks(f"{room}> ")
                anna.type("\x04")
                assert anna.ended() == 0
        assert b"\x1b" not in (folder / "output").read_bytes()
        words = (folder / "errors").read_bytes()
        assert b"you are in" in words and b"\x1b" not in words and b"\r" not in words, words


def status(place):
    """A page that is drawn anew in its place and leaves the screen as it was."""
    before = "what stood here\r\nbefore\r\n"
    with place.status("--interval", "0.5", before=before) as page:
        page.shows("1 node,")
        assert page.screen.saved is not None and page.screen.cursor.hidden
        first = page.raw.count(b"\x1b[H")
        page.until("it is drawn again", lambda: page.raw.count(b"\x1b[H") > first + 1)
        assert sum("1 node," in row for row in page.rows) == 1, page.rows
        page.type("keys")
        page.resize(4, 80)
        page.until("what has room", lambda: page.rows[:1] and "1 node," in page.rows[0] and page.rows[-1] == "…")
        assert len(page.rows) <= 3, page.rows
        page.resize(24, 30)
        page.until("cut lines", lambda: any(row.startswith("alone") for row in page.rows))
        drawn = page.raw.count(b"\x1b[H")
        page.until("it is drawn again", lambda: page.raw.count(b"\x1b[H") > drawn + 1)
        assert sum(row.startswith("NODE") for row in page.rows) == 1, page.rows
        page.resize(24, 80)
        page.until("all of it", lambda: any("CONNECTIONS" in row and "UPTIME" in row for row in page.rows))
        assert not any("keys" in row for row in page.rows), page.rows
        assert b"\x1b[1m" in page.styles
        page.type("q")
        assert page.ended() == 0
        assert page.rows == ["what stood here", "before"], page.rows
        page.is_harmless()
    for keys, number, code in [("\x03", 0, 0), ("", signal.SIGTERM, -signal.SIGTERM)]:
        with place.status(before=before, environment={"NO_COLOR": "1"}) as page:
            page.shows("1 node,")
            page.type(keys) if keys else page.signal(number)
            assert page.ended() == code, page.process.returncode
            assert page.rows == ["what stood here", "before"], page.rows
            assert page.styles == set()
    for how in [{"environment": {"TERM": "dumb"}}, {"words": ["--once"]}]:
        with place.status(*how.pop("words", []), **how) as page:
            page.shows("1 node,")
            assert page.ended() == 0
            assert b"\x1b" not in page.raw
    with Terminal([place.binary, "status", "--url", "http://127.0.0.1:1"], {"ROOST_API_KEY": place.key}) as nobody:
        nobody.shows("cannot be reached")
        assert nobody.ended() == 1
        assert b"\x1b" not in nobody.raw


STORIES = [editing, typing, strangers, widths, endings, shells, plain, status]
