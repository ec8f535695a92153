"""The pages as people use them: by what is written on them, with keys and clicks."""

import re

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

    def is_connected(self, seconds=20):
        self.page.locator("#state[data-state=open]").wait_for(timeout=seconds * 1000)

    def says(self, text):
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def types(self, text):
        self.page.get_by_label("Message", exact=True).press_sequentially(text)

    def sees(self, text, seconds=20):
        self.page.get_by_text(text, exact=True).first.wait_for(timeout=seconds * 1000)

    def sees_no(self, text, seconds=20):
        self.page.get_by_text(text, exact=True).wait_for(state="hidden", timeout=seconds * 1000)

    def said(self):
        """The messages in the log, acknowledged ones only, from the first to the last."""
        return self.page.locator(".message:not(.waits) .said").all_text_contents()

    def clicks(self, name, exact=True):
        self.page.get_by_role("button", name=name, exact=exact).click()


class Dashboard:
    """An operator with the dashboard open."""

    def __init__(self, browser, port, faults, **looks):
        self.context = browser.new_context(viewport={"width": 1280, "height": 860}, **looks)
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

    def tells(self, pattern, seconds=25):
        """The event log has, or gets, such a line."""
        self.page.locator("#events li").filter(has_text=re.compile(pattern)).first.wait_for(timeout=seconds * 1000)

    def shows(self, place, pattern, seconds=20):
        self.page.locator(f"#{place}").filter(has_text=re.compile(pattern)).wait_for(timeout=seconds * 1000)
