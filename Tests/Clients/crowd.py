"""A crowd that talks in rooms through whatever happens to nodes and balancers, and writes down all it hears.

Members keep their position, say everything under an id of its own until it is acknowledged, and come back as
docs/PROTOCOL.md asks. They live on a thread of their own, so that tests can do things to the cluster meanwhile:

    with crowd.Crowd(crowd.people(…)) as people:
        people.talk()
        …
        people.finish()     # everybody falls silent, all catch up; raises unless nothing is lost, doubled, misordered
"""

import asyncio
import collections
import json
import random
import threading
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

import notes

# Seconds until what must come is missed.
PATIENCE = 120


class Member:
    """One user in one room, on one connection at a time."""

    def __init__(self, name, room, url, token, pause, chance, **how):
        self.name, self.room, self.url, self.pause, self.chance = name, room, url, pause, chance
        self.how = {"additional_headers": {"Authorization": f"Bearer {token}"}, "compression": None, **how}
        self.notes = notes.Notes(name)
        self.counts = collections.Counter()
        self.refused = collections.Counter()
        self.returns = []  # seconds from losing a connection to being in the room again
        self.leaves = []  # who was said to have left
        self.socket = None
        self.told_to_return_in = None
        self.is_in = self.is_talking = self.is_over = False
        self.has_come = asyncio.Event()
        self.unanswered = None  # (id, text) of what was said and not acknowledged yet
        self.is_said = False  # on this connection, and without an answer since
        self.again = collections.Counter()  # how often an id was said once more on it: so many more answers may come
        self.turn = self.lost = 0

    async def live(self):
        failures = 0
        while not self.is_over:
            try:
                async with connect(self.url, open_timeout=30, close_timeout=10, ping_interval=None, **self.how) as socket:
                    self.socket = socket
                    failures = 0
                    await self.serve(socket)
            except InvalidStatus as answer:
                self.refused[answer.response.status_code] += 1
                failures += 1
            except ConnectionClosed as end:
                self.ended(end.rcvd.code if end.rcvd else 1006)
            except (OSError, EOFError, TimeoutError, InvalidHandshake):
                self.counts["failed connects"] += 1
                failures += 1
            self.socket, self.is_in = None, False
            self.lost = self.lost or time.monotonic()
            wait = self.told_to_return_in
            self.told_to_return_in = None
            if wait is None:
                wait = self.chance.uniform(0.5, 1) * min(0.2 * 2**failures, 2)
            if not self.is_over:
                await asyncio.sleep(wait)

    def ended(self, code):
        if self.is_over:
            return
        self.counts[f"closed {code}"] += 1
        if code not in (1001, 1006, 1012, 4001, 4008):
            self.notes.fault("wrong", f"closed with {code}")

    async def serve(self, socket):
        self.again.clear()
        self.is_said = False
        ask = {"room_id": self.room}
        if self.notes.position:
            ask["since"] = dict(zip(("epoch", "offset"), self.notes.position))
        await self.say(socket, type="join_room", id="join", payload=ask)
        joining = time.monotonic()
        while True:
            speaks = self.is_in and (self.is_talking or self.unanswered)
            now = time.monotonic()
            # Who has nothing to say looks up now and then, because nothing tells when talking begins.
            wait = self.turn - now if speaks else 0.1
            try:
                async with asyncio.timeout(max(wait, 0.001)):
                    self.hear(json.loads(await socket.recv()))
            except TimeoutError:
                if speaks:
                    await self.speak(socket)
                elif not self.is_in and now > joining + 60:
                    raise

    async def say(self, socket, **envelope):
        await socket.send(json.dumps(envelope))

    async def speak(self, socket):
        """Something new, or what had no answer once more."""
        if not self.unanswered:
            self.counts["said"] += 1
            text = f"{self.name}-{self.counts['said']}"
            self.unanswered = (f"m{self.counts['said']}", text)
            self.is_said = False
        name, text = self.unanswered
        if self.is_said:
            self.again[name] += 1
        self.is_said = True
        self.turn = time.monotonic() + 6
        await self.say(socket, type="send_message", room=self.room, id=name, payload={"content": text})

    def hear(self, frame):
        handler = getattr(self, "hear_" + frame["type"], None)
        if handler:
            handler(frame, frame.get("payload"))

    def hear_room_info(self, frame, payload):
        place = (payload["epoch"], payload["offset"])
        if self.lost and self.notes.position:
            self.returns.append(time.monotonic() - self.lost)
        self.lost = 0
        if payload.get("recovered"):
            self.notes.resume(*place)
        else:
            self.notes.begin(*place)
        self.is_in = True
        self.has_come.set()
        self.turn = time.monotonic() + (0 if self.unanswered else self.chance.uniform(0, self.pause))

    def hear_new_message(self, frame, payload):
        self.counts["heard"] += 1
        self.notes.hear(frame["offset"], payload["content"])

    def hear_ack(self, frame, payload):
        if not self.unanswered or frame.get("id") != self.unanswered[0]:
            if payload.get("dup") and self.again[frame.get("id")] > 0:
                self.again[frame["id"]] -= 1
                return
            self.notes.fault("wrong", f"an ack for {frame.get('id')}")
            return
        if not payload.get("dup"):
            if payload["epoch"] != self.notes.position[0]:
                self.notes.fault("wrong", f"an ack in {payload['epoch']}, the room is in {self.notes.position}")
            self.notes.hear(frame["offset"], self.unanswered[1], own=True)
        self.counts["acked"] += 1
        self.unanswered = None
        self.turn = time.monotonic() + self.chance.uniform(0.5, 1.5) * self.pause

    def hear_resync(self, frame, payload):
        self.notes.begin(payload["epoch"], payload["offset"])

    def hear_error(self, frame, payload):
        self.counts[payload["code"]] += 1
        if frame.get("id") == "join":
            raise EOFError(payload["code"])  # once more, on another connection
        self.is_said = False
        self.turn = time.monotonic() + payload.get("retry_after_ms", 1000) / 1000
        if payload["code"] not in ("RELAY_UNAVAILABLE", "RATE_LIMITED"):
            self.notes.fault("wrong", f"{payload}")

    def hear_user_left(self, frame, payload):
        self.leaves.append(payload["id"])

    def hear_server_draining(self, frame, payload):
        self.counts["told to come back"] += 1
        self.told_to_return_in = payload["reconnect_after_ms"] / 1000

    async def leave(self):
        self.is_over = True
        self.has_come.set()
        if self.socket:
            await self.socket.close(1000)


class Crowd:
    """Members on a thread of their own, for as long as the context lasts."""

    def __init__(self, members):
        self.members = members
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.live(),), daemon=True)
        self.crash = None

    async def live(self):
        try:
            await asyncio.gather(*map(self.enter, self.members, [None, *self.members]))
        except BaseException as problem:  # a mistake of ours must fail the test, not only its thread
            self.crash = problem

    async def enter(self, member, before):
        """Each comes when the one before is in: a balancer that counts finds a place with fewest, and only one."""
        if before:
            await before.has_come.wait()
        await member.live()

    def __enter__(self):
        self.thread.start()
        try:
            self.wait("everybody is in", lambda: all(member.is_in for member in self.members))
        except BaseException:
            self.__exit__()
            raise
        return self

    def talk(self):
        for member in self.members:
            member.is_talking = True

    def __exit__(self, *_):
        for member in self.members:
            asyncio.run_coroutine_threadsafe(member.leave(), self.loop)
        self.thread.join(60)

    def wait(self, what, is_true, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not is_true():
            if self.crash:
                raise self.crash
            if time.monotonic() > deadline:
                out = [f"{m.name} {m.notes.position} {dict(m.refused)}" for m in self.members if not m.is_in or m.unanswered]
                raise AssertionError(f"not within {seconds} s: {what}; {self.sums()}; not well: {out}")
            time.sleep(0.02)

    def rooms(self):
        rooms = collections.defaultdict(list)
        for member in self.members:
            rooms[member.room].append(member.notes)
        return rooms.values()

    def all_back(self, more=5):
        """Everybody is in his room, and has so many more messages acknowledged from now on."""
        before = [member.counts["acked"] for member in self.members]
        self.wait(
            "everybody is back and heard",
            lambda: all(m.is_in and m.counts["acked"] >= acked + more for m, acked in zip(self.members, before)),
        )

    def sums(self):
        sums = sum((member.counts for member in self.members), collections.Counter())
        refused = sum((member.refused for member in self.members), collections.Counter())
        return dict(sums), {f"refused {status}": count for status, count in refused.items()}

    def nobody_noticed(self):
        """No balancer or node answered with an error status, and nobody was said to have left."""
        return not any(member.refused or member.leaves for member in self.members)

    def finish(self, announced_is_fine=False):
        """Silence, then the verdict in one line. What may be announced as lost is what Redis lost."""
        for member in self.members:
            member.is_talking = False
        self.wait(
            "everybody has caught up",
            lambda: all(m.is_in and not m.unanswered for m in self.members) and all(map(notes.is_quiet, self.rooms())),
        )
        verdict, complaints = collections.Counter(), []
        for everybody in self.rooms():
            sums, reasons = notes.judge(everybody)
            verdict.update(sums)
            complaints += reasons
        announced = sum(member.notes.announced for member in self.members)
        returns = sorted(second for member in self.members for second in member.returns)
        counts, refused = self.sums()
        leaves = sum(len(member.leaves) for member in self.members)
        wrong = {kind: count for kind, count in verdict.items()}
        slowest = f", the slowest {returns[-1]:.1f} s" if returns else ""
        line = f"{counts['acked']} acknowledged, {counts['heard']} heard; {len(returns)} returns{slowest}; "
        line += f"{wrong}, announced {announced}, seen to leave {leaves}; {counts} {refused}"
        if any(wrong.values()) or (announced and not announced_is_fine):
            raise AssertionError("\n  ".join([line, *complaints[:20]]))
        return line


def people(count, rooms, url, token, pause, seed, how=lambda number: {}):
    """`count` members in `rooms` rooms; `token(user, name)` makes their tokens."""
    chance = random.Random(seed)
    return [
        Member(
            f"u{number}", f"room-{number % rooms}", url, token(f"u{number}", f"U {number}"), pause,
            random.Random(chance.random()), **how(number),
        )
        for number in range(count)
    ]
