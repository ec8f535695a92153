"""A terminal with a program in it: a pseudoterminal of the kernel, and an emulator that knows what a person would see."""

import copy
import fcntl
import os
import re
import resource
import select
import struct
import subprocess
import termios
import time

import pyte

# How long anything may take that is waited for; seconds. Slow machines take long, and nobody waits for nothing.
PATIENCE = 60

# All that our programs may tell a terminal: lines, cursor, styles, its other screen, its bell.
KNOWN = re.compile(r"\x1b\[(K|J|H|2J|\d+C|[0-9;]*m|\?(7|25|1049)[hl])|[\r\n\x07]")
# What must never come from strangers: controls, marks that turn a line around or cannot be seen.
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")


class Screen(pyte.Screen):
    """With the other screen (1049), which the emulator does not know."""

    OTHER = 1049 << 5
    saved = None

    def set_mode(self, *modes, **kinds):
        super().set_mode(*modes, **kinds)
        if self.OTHER in self.mode and self.saved is None:
            self.saved = (copy.deepcopy(self.buffer), copy.copy(self.cursor))
            self.erase_in_display(2)

    def reset_mode(self, *modes, **kinds):
        super().reset_mode(*modes, **kinds)
        if self.OTHER not in self.mode and self.saved is not None:
            hidden = self.cursor.hidden
            self.buffer, self.cursor = self.saved
            self.cursor.hidden = hidden
            self.saved = None


class Terminal:
    """A context: a program that lives on a terminal of its own."""

    def __init__(self, command, environment, rows=24, columns=80, before="", output=None, errors=None):
        """`before`: what stands there already. `output`, `errors`: files, when these do not go to the terminal."""
        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.stream.feed(before.encode())
        self.master, self.slave = os.openpty()
        self.resize(rows, columns)
        self.modes = termios.tcgetattr(self.slave)
        self.raw = b""
        self.marked = 0
        self.process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environment},
            stdin=self.slave,
            stdout=output or self.slave,
            stderr=errors or self.slave,
            start_new_session=True,
            preexec_fn=self.settle,
        )

    @staticmethod
    def settle():
        """In the new process: the terminal is its own, and it leaves no core."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(f"--- the screen\n{self}\n--- the last bytes\n{self.raw[-600:]!r}", flush=True)
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def __str__(self):
        return "\n".join(f"|{row}|" for row in self.screen.display)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def signal(self, number):
        os.kill(self.process.pid, number)

    # What is seen

    def read(self, seconds):
        """Shows what the program has said; false when it said nothing in this time."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        said = os.read(self.master, 65536)
        self.raw += said
        self.stream.feed(said)
        return True

    def until(self, what, is_true):
        """Waits for something to be seen."""
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            assert time.monotonic() < deadline, f"not seen: {what}"
            if not self.read(0.05) and self.process.poll() is not None and not self.read(0):
                assert is_true(), f"ended with {self.process.returncode}, and was not seen: {what}"

    @property
    def rows(self):
        """The rows, without blanks at their ends, down to the last that is not empty."""
        rows = [row.rstrip() for row in self.screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def last(self):
        return self.rows[-1] if self.rows else ""

    def shows(self, text):
        self.until(text, lambda: any(text in row for row in self.rows))

    def mark(self):
        """From here on ``saw`` looks."""
        self.marked = len(self.raw)

    def saw(self, text):
        """For what may be gone again by the time that somebody looks."""
        self.until(f"{text!r}, perhaps not any more", lambda: text.encode() in self.raw[self.marked :])

    def asks(self, line, cursor=None):
        """The last row is this one, and the cursor stands in it; behind it unless `cursor` says where."""
        place = len(line) if cursor is None else cursor

        def is_so():
            row = self.screen.display[self.screen.cursor.y].rstrip()
            return self.last == row == line.rstrip() and self.screen.cursor.x == place

        self.until(f"{line!r} with the cursor at {place}", is_so)

    # How it ends

    def ended(self):
        """The exit code (negative: a signal), when the terminal is as it was before."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it does not end"
            self.read(0.05)
        while self.read(0):
            pass
        assert termios.tcgetattr(self.slave) == self.modes, "the terminal's modes are not as they were"
        assert not self.screen.cursor.hidden, "the cursor is hidden"
        assert self.screen.saved is None, "the other screen is still there"
        return self.process.returncode

    def is_harmless(self):
        """Nothing was said to the terminal that we do not say ourselves."""
        found = HARMFUL.search(KNOWN.sub("", self.raw.decode()))
        assert found is None, f"{found[0]!r} reached the terminal in {self.raw!r}"

    @property
    def styles(self):
        return set(re.findall(rb"\x1b\[[0-9;]*m", self.raw))
