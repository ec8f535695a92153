"""What must work in a browser, told with two people on two nodes and somebody who watches the cluster."""

import json
import time
import urllib.request

import cluster
from pages import Dashboard, Person


def speak(people, first, count, between=lambda number: None):
    """All say something in turn; `between` happens meanwhile."""
    spoken = []
    for number in range(first, first + count):
        for person in people:
            spoken.append(f"{person.name} {number}")
            person.says(spoken[-1])
        between(number)
        people[0].page.wait_for_timeout(60)
    return spoken


def agree(what, people, spoken):
    """Everybody has all that was said, once, in one order, in which nobody's own words changed places."""

    def complete():
        return all(set(spoken) <= set(person.said()) for person in people)

    try:
        cluster.eventually(what, complete)
    except AssertionError as error:
        for person in people:
            print(f"{person.name} misses {sorted(set(spoken) - set(person.said()))}", flush=True)
        raise error
    logs = [[text for text in person.said() if text in set(spoken)] for person in people]
    for person, log in zip(people, logs):
        assert len(log) == len(set(log)), f"{what}: {person.name} sees something twice: {log}"
        assert log == logs[0], f"{what}: the order differs: {log} and {logs[0]}"
    for person in people:
        own = [text for text in spoken if text.startswith(person.name + " ")]
        assert [text for text in logs[0] if text in own] == own, f"{what}: the words of {person.name} changed places"


def conversation(site):
    """Two people on two nodes: presence, talk, typing, a direct message."""
    site.ann = ann = Person(site.browser, site.ports["ann"], "Ann", site.faults)
    site.ben = ben = Person(site.browser, site.ports["ben"], "Ben", site.faults, color_scheme="dark")
    for person, node in ((ann, "one"), (ben, "two")):
        site.lives(person.name, node)
    ann.sees("Ben came in")
    for person in (ann, ben):
        person.sees("2 people here")
    agree("they talk", [ann, ben], speak([ann, ben], 1, 3))

    ben.is_seen_typing("hm", ann)
    ann.sees_no("Ben is typing…")  # he thinks
    ben.is_seen_typing("hmm", ann)
    ben.page.keyboard.press("Enter")
    ann.sees("hmm")
    ann.sees_no("Ben is typing…")

    ann.clicks("Ben: write a direct message")
    ann.says("between us")
    ben.page.get_by_role("button", name="Ann", exact=False).filter(has_text="1").click()
    ben.sees("between us")
    for person in (ann, ben):
        person.page.locator("#rooms button").filter(has_text="general").click()
        person.sees("# general")


def past(site):
    """Somebody who comes later reads what was said before, page by page, and nothing jumps."""
    for number in range(1, 131):
        site.publish("library", f"line {number}")
    reader = Person(site.browser, site.ports["ben"], "Cleo", site.faults, room="library")
    reader.sees("line 130")
    assert len(reader.said()) == 50, reader.said()
    box = reader.page.locator("#log")
    top = reader.page.get_by_text("line 81", exact=True)
    box.evaluate("box => { box.scrollTop = 60; }")
    before = top.bounding_box()["y"]
    cluster.eventually("older lines come", lambda: len(reader.said()) == 100)
    assert abs(top.bounding_box()["y"] - before) < 2, "what was read moved away"
    reader.page.get_by_role("button", name="Earlier messages").press("Enter")
    cluster.eventually("all lines come", lambda: len(reader.said()) == 130)
    assert reader.said() == [f"line {number}" for number in range(1, 131)]
    reader.page.get_by_role("button", name="Earlier messages").wait_for(state="hidden")  # there is nothing earlier
    reader.context.close()


def watching(site):
    """The dashboard: a wrong key, a right one, and what it shows of all this."""
    stranger = Dashboard(site.browser, site.ports["watcher"], [])  # its 401 are meant
    stranger.enter("not-a-key-but-as-long-as-one-has-to-be")
    stranger.page.get_by_text("The key or token is not good.").wait_for()
    stranger.enter(site.key)
    stranger.page.locator("#state[data-state=open]").wait_for()
    kept = stranger.page.evaluate("[location.href, document.cookie, localStorage.length].join(' ')")
    assert kept == f"http://127.0.0.1:{site.ports['watcher']}/dashboard  0", kept
    stranger.context.close()
    site.dashboard = board = Dashboard(site.browser, site.ports["watcher"], site.faults)
    board.enter_for_development()
    board.shows("online", "^2$")
    board.shows("users", "^2$")
    board.shows("node-count", "^3$")
    board.shows("relay", "^connected$")
    board.shows("rooms", "general.*2")
    board.tells("3 nodes are there")
    board.row("one").filter(has_text="50 %").wait_for()


def crash(site):
    """The node of one of them is killed while both talk."""
    spoken = speak([site.ann, site.ben], 100, 20, lambda number: site.kill("one") if number == 108 else None)
    agree("after the crash", [site.ann, site.ben], spoken)
    site.ann.is_connected()
    site.lives("Ann", "three")
    site.dashboard.tells(r"one-\w+ left")
    site.dashboard.shows("node-count", "^2$")


def redis(site):
    """Redis ends and comes back with nothing, while both talk."""

    def trouble(number):
        if number == 204:
            site.stop_redis()
        if number == 208:
            site.dashboard.tells("Redis lost")
            site.start_redis()

    spoken = speak([site.ann, site.ben], 200, 14, trouble)
    agree("after Redis came back", [site.ann, site.ben], spoken)
    site.dashboard.tells("Redis is back")
    site.dashboard.shows("relay", "^connected$")
    site.dashboard.shows("node-count", "^2$")


def drain(site):
    """A node is drained from the dashboard while both talk; who presses Cancel drains nothing."""
    row = site.dashboard.row("two")
    dialog = site.dashboard.page.get_by_role("dialog")

    def press(answer):
        row.get_by_role("button", name="Drain").click()
        dialog.get_by_role("button", name=answer, exact=True).click()
        dialog.wait_for(state="hidden")

    press("Cancel")
    site.lives("Ben", "two")
    spoken = speak([site.ann, site.ben], 300, 24, lambda number: press("Drain") if number == 303 else None)
    site.dashboard.tells(r"two-\w+ is draining")
    spoken += speak([site.ann, site.ben], 330, 6)
    site.ended("two")
    spoken += speak([site.ann, site.ben], 340, 3)
    agree("after the drain", [site.ann, site.ben], spoken)
    site.ben.is_connected()
    site.lives("Ben", "three")
    site.dashboard.tells(r"two-\w+ has drained and left")


def ending(site):
    """Somebody is disconnected from the dashboard, and told so."""
    page = site.dashboard.page
    page.get_by_label("User id").fill("Ben")
    page.keyboard.press("Enter")
    page.get_by_text("1 connection on three-").wait_for()
    page.get_by_role("button", name="Disconnect Ben").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect", exact=True).click()
    site.dashboard.tells("Ben: 1 connection was closed")
    site.ben.page.get_by_text("You were disconnected by the service").wait_for()
    site.ann.sees("Ben left")


def publish(port, key, room, text):
    """As a backend does it."""
    body = json.dumps({"room": room, "payload": {"content": text}, "sender": {"id": "Library"}}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/publish", body, headers)
    urllib.request.urlopen(request, timeout=60).close()


STORIES = [conversation, past, watching, crash, redis, drain, ending]


def tell(site, names):
    """Runs them in order; each goes on where the one before ended."""
    for story in STORIES:
        if names and story.__name__ not in names:
            continue
        started = time.monotonic()
        story(site)
        print(f"{story.__name__}: ok, {time.monotonic() - started:.0f} s", flush=True)
