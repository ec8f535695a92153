"""The pages as people use them: by what is written on them, with keys and clicks."""

import re

import cluster
from playwright.sync_api import TimeoutError

# How long anything is waited for that must come, in milliseconds.
PATIENCE = cluster.PATIENCE * 1000

# What a browser writes to its console when a server went away or said that it cannot: faults of ours look different.
NETWORK = re.compile(
    r"^WebSocket connection to '\S+' failed|"
    r"^Failed to load resource: (net::ERR_|the server responded with a status of 50[0234])"
)


def watch_console(page, name, faults):
    """Notes what pages complain of, broken rules of the Content-Security-Policy included."""

    def heard(message):
        if message.type in ("error", "warning") and not NETWORK.search(message.text):
            faults.append(f"{name}: {message.type}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: faults.append(f"{name}: {error}"))


class Person:
    """Somebody with the chat page open."""

    def __init__(self, browser, port, name, faults, room="general", **looks):
        self.name = name
        self.context = browser.new_context(viewport={"width": 1180, "height": 720}, **looks)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        watch_console(self.page, name, faults)
        self.page.goto(f"http://127.0.0.1:{port}/")
        self.enter(room)

    def enter(self, room):
        """By keys alone."""
        field = self.page.get_by_label("Your name")
        field.wait_for()
        assert self.page.evaluate("document.activeElement.id") == "name", "the name is not asked for first"
        self.page.keyboard.type(self.name)
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(room)
        self.page.keyboard.press("Enter")
        self.is_connected()
        self.sees(f"# {room}")

    def is_connected(self):
        self.page.locator("#state[data-state=open]").wait_for()

    def says(self, text):
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def types(self, text):
        self.page.get_by_label("Message", exact=True).press_sequentially(text)

    def is_seen_typing(self, text, *readers):
        """Who says nothing for some seconds is not typing any more: on a busy machine that may be over when it is looked
        for, and he types it again."""

        def is_seen():
            self.page.get_by_label("Message", exact=True).fill("")
            self.types(text)
            try:
                for reader in readers:
                    reader.page.get_by_text(f"{self.name} is typing…", exact=True).first.wait_for(timeout=6000)
            except TimeoutError:
                return False
            return True

        cluster.eventually(f"{self.name} is typing", is_seen)

    def sees(self, text):
        self.page.get_by_text(text, exact=True).first.wait_for()

    def sees_no(self, text):
        self.page.get_by_text(text, exact=True).wait_for(state="hidden")

    def said(self):
        """The messages in the log, acknowledged ones only, from the first to the last."""
        return self.page.locator(".message:not(.waits) .said").all_text_contents()

    def clicks(self, name, exact=True):
        self.page.get_by_role("button", name=name, exact=exact).click()


class Dashboard:
    """An operator with the dashboard open."""

    def __init__(self, browser, port, faults, **looks):
        self.context = browser.new_context(viewport={"width": 1280, "height": 860}, **looks)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        watch_console(self.page, "dashboard", faults)
        self.page.goto(f"http://127.0.0.1:{port}/dashboard")

    def enter(self, key):
        self.page.get_by_label("API key or admin token").fill(key)
        self.page.keyboard.press("Enter")

    def enter_for_development(self):
        self.page.get_by_role("button", name="Open with a development token").click()
        self.page.locator("#state[data-state=open]").wait_for()

    def row(self, node):
        return self.page.locator(f"#nodes tr[data-node^='{node}-']")

    def tells(self, pattern):
        """The event log has, or gets, such a line."""
        self.page.locator("#events li").filter(has_text=re.compile(pattern)).first.wait_for()

    def shows(self, place, pattern):
        self.page.locator(f"#{place}").filter(has_text=re.compile(pattern)).wait_for()
