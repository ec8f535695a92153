"""How the pages look, to people and to axe, in light and in dark."""

from axe_playwright_python.sync_playwright import Axe
from pages import PATIENCE, Dashboard, Person

WORDS = [
    ("Ann", "Good morning! Is the new build up?"),
    ("Ben", "For half an hour, on all three nodes."),
    ("Ben", "The old ones drained, and nobody noticed."),
    ("Ann", "Lovely. Then I move the demo room over."),
    ("Ann", "And thank you for staying so late yesterday."),
    ("Cleo", "Two thousand people in the lobby, and the fans of my laptop are silent."),
    ("Ben", "Somebody asked whether messages are lost when a node dies. I killed one while we were talking."),
    ("Ben", "That was ten minutes ago."),
    ("Ann", "I had not seen it."),
]
PHONE = {"width": 390, "height": 780}


SETTLED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.allSettled(document.getAnimations().map((one) => one.finished));
}"""


def check(name, page):
    """Finds no fault of the two upper grades, once colours have changed to what they shall be."""
    page.evaluate(SETTLED)
    found = Axe().run(page).response
    faults = [fault for fault in found["violations"] if fault["impact"] in ("serious", "critical")]
    for fault in faults:
        print(f"{name}: {fault['impact']}: {fault['id']}: {fault['help']}", flush=True)
        for node in fault["nodes"][:5]:
            print(f"    {node['html'][:160]}\n    {node['failureSummary']}", flush=True)
    assert not faults, f"{name}: {len(faults)} faults of accessibility"
    assert len(found["passes"]) > 10, f"{name}: axe looked at nothing"


class Pictures:
    def __init__(self, folder):
        self.folder = folder

    def take(self, name, page):
        check(name, page)
        if self.folder:
            page.screenshot(path=str(self.folder / f"{name}.png"), animations="disabled")


def look(site, folder=None):
    """With three people who talk; on a cluster where nothing goes wrong."""
    pictures = Pictures(folder)
    for scheme in ("light", "dark"):
        entry = site.browser.new_context(color_scheme=scheme).new_page()
        entry.set_default_timeout(PATIENCE)
        for path in ("/", "/dashboard"):
            entry.goto(f"http://127.0.0.1:{site.ports['watcher']}{path}")
            entry.locator("#entry-form input:visible").first.wait_for()
            check(f"entry of {path}, {scheme}", entry)
        entry.context.close()
    people = {}
    for name, scheme, port in (("Ann", "light", "ann"), ("Ben", "dark", "ben"), ("Cleo", "light", "watcher")):
        people[name] = Person(site.browser, site.ports[port], name, site.faults, room="lobby", color_scheme=scheme)
    for name, text in WORDS:
        people[name].says(text)
        for person in people.values():
            person.sees(text)
    board = Dashboard(site.browser, site.ports["watcher"], site.faults)
    board.enter_for_development()
    people["Cleo"].is_seen_typing("I had", people["Ann"], people["Ben"])
    pictures.take("chat-light", people["Ann"].page)
    pictures.take("chat-dark", people["Ben"].page)
    phone = people["Cleo"].page
    phone.set_viewport_size(PHONE)
    pictures.take("chat-phone", phone)
    for panel in ("People", "Rooms"):
        phone.get_by_role("button", name=panel, exact=True).click()
        check(f"{panel} on a phone", phone)
        phone.keyboard.press("Escape")
    if folder:
        crowd(site)
    watch(site, board, pictures)
    for person in people.values():
        person.context.close()


def crowd(site):
    """Something to draw: more people, more rooms, more talk."""
    names = ["Dora", "Emil", "Frida", "Gustav", "Hedda", "Ivar", "Jonna"]
    rooms = ["kitchen", "garden", "kitchen", "lobby", "library", "kitchen", "garden"]
    ports = ["ann", "ben", "watcher"]
    others = []
    for number, (name, room) in enumerate(zip(names, rooms)):
        port = site.ports[ports[min(number % 4, 2)]]
        others.append(Person(site.browser, port, name, site.faults, room=room))
    for number in range(150):
        for _ in range(2 + number // 10 % 4 + number % 3):
            site.publish("lobby", "a line")
        others[0].page.wait_for_timeout(500)


def watch(site, board, pictures):
    page = board.page
    board.shows("rooms", "lobby")
    page.get_by_label("User id").focus()
    pictures.take("dashboard-light", page)
    page.locator("#rooms button").first.click()
    check("members of a room", page)
    page.get_by_role("button", name="Close").click()
    board.row("three").get_by_role("button").click()
    check("the question before a drain", page)
    page.keyboard.press("Escape")
    page.emulate_media(color_scheme="dark")
    pictures.take("dashboard-dark", page)
    board.context.close()
