"""What the members of a room wrote down, and what is wrong with it. No sockets here.

A place is an epoch and an offset. Where a member's position was taken from it (a `resync`, or a return that was not
recovered) a new span begins: what lies between two spans was announced as lost and is not held against anybody.
"""


class Notes:
    """What one member heard in one room, in the order it came."""

    def __init__(self, name):
        self.name = name
        self.spans = []  # [epoch, offset before the first, last offset]
        self.texts = {}  # place → text
        self.acknowledged = {}  # place → text, of its own
        self.faults = {"doubled": 0, "misordered": 0, "wrong": 0}
        self.announced = 0
        self.complaints = []

    @property
    def position(self):
        return (self.spans[-1][0], self.spans[-1][2]) if self.spans else None

    def fault(self, kind, why):
        self.faults[kind] += 1
        self.complaints.append(f"{self.name}: {kind}: {why}")

    def begin(self, epoch, offset):
        self.announced += bool(self.spans)
        self.spans.append([epoch, offset, offset])

    def resume(self, epoch, offset):
        """A return that was recovered: it goes on exactly where the member was."""
        if (epoch, offset) != self.position:
            self.fault("wrong", f"recovered at {epoch} {offset}, not at {self.position}")

    def hear(self, offset, text, own=False):
        epoch, _, last = self.spans[-1]
        if offset <= last:
            same = self.texts.get((epoch, offset)) == text
            return self.fault("doubled" if same else "misordered", f"{text} at {epoch} {offset} after {last}")
        if text in (heard for place, heard in self.texts.items() if place[0] == epoch):
            self.fault("doubled", f"{text} at {epoch} {offset} once more")
        self.spans[-1][2] = offset
        self.texts[epoch, offset] = text
        if own:
            self.acknowledged[epoch, offset] = text

    def lacks(self, truth):
        """Places within this member's spans that others heard or had acknowledged, and this one did not.

        A message that is sent again over a change of epoch is not shown twice to who saw it before.
        """
        seen = set(self.texts.values())
        places = [(epoch, offset) for epoch, before, last in self.spans for offset in range(before + 1, last + 1)]
        epoch, _, last = self.spans[-1]
        places += [place for place in truth if place[0] == epoch and place[1] > last]
        only_one = len({span[0] for span in self.spans}) == 1
        return [
            place for place in places
            if place not in self.texts and (truth[place] not in seen if place in truth else only_one)
        ]


def tops(everybody):
    """Where each epoch of a room has got to, as far as anybody heard."""
    top = {}
    for notes in everybody:
        for epoch, _, last in notes.spans:
            top[epoch] = max(top.get(epoch, 0), last)
    return top


def is_quiet(everybody):
    """All members of a room are in one epoch, and at its top."""
    top = tops(everybody)
    places = {notes.position for notes in everybody}
    return len(places) == 1 and all(place and place[1] == top[place[0]] for place in places)


def judge(everybody):
    """The members of one room: what is lost, doubled, misordered, divergent or wrong, and the reasons."""
    sums = {"lost": 0, "doubled": 0, "misordered": 0, "divergent": 0, "wrong": 0}
    complaints = []
    truth = {}
    for notes in everybody:
        for place, text in (*notes.texts.items(), *notes.acknowledged.items()):
            if truth.setdefault(place, text) != text:
                sums["divergent"] += 1
                complaints.append(f"{notes.name}: {text} at {place}, where others have {truth[place]}")
    for notes in everybody:
        lacking = notes.lacks(truth)
        sums["lost"] += len(lacking)
        complaints += [f"{notes.name}: lost {truth.get(place, 'what nobody has')} at {place}" for place in lacking]
        complaints += notes.complaints
        for kind, count in notes.faults.items():
            sums[kind] += count
    if len({notes.position[0] for notes in everybody}) > 1:
        sums["divergent"] += 1
        complaints.append("members are in different epochs")
    return sums, complaints
