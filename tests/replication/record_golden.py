"""Keep what this release says on a link, so that later ones can prove that they read it.

    python -m tests.replication.record_golden 0.2.0        writes tests/replication/golden/0.2.0.json

Run once for each release, from its own code, when it is made; the file is never changed afterwards. It holds a
governorate's journal as it goes up on both kinds of links and as a bundle, and a directorate's as it comes down.
Everything is computed from fixed ids, keys and salts; only the compression may differ from one library to the next.
"""

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

from kernel.crypto import SigningKey
from kernel.fact import Fact
from services.sync import bundle
from services.sync.disclosure import Clearance, decide, show
from services.sync.entry import Entry, audience, record
from services.sync.message import Batch, Held, Hello, Message, pack, sign
from services.sync.position import Position, digests, start
from tests.services.sync.facts import fact

GOLDEN = Path(__file__).parent / "golden"
NINEWA, DUHOK = "ninewa", "duhok"
BAGHDAD, ERBIL = "directorate-baghdad", "directorate-erbil"
KEYS = {name: SigningKey(bytes([at]) * 32) for at, name in enumerate((NINEWA, BAGHDAD), 1)}
HOW = {BAGHDAD: Clearance.OPERATIONAL, ERBIL: Clearance.STATISTICAL, NINEWA: Clearance.OPERATIONAL}


def told_by_ninewa() -> list[Fact]:
    """Two cases with a history, a restricted one, something for a directorate, something for another governorate."""
    first, second = "01a00000-0000-7000-8000-000000000001", "01a00000-0000-7000-8000-000000000002"
    told = [
        fact(first, id="f-1"),
        fact(second, id="f-2", statistical={"district": "تلعفر"}),
        fact(first, id="f-3", version=2, type="case.triaged.v1", statistical={"status": "triaged"}),
        fact("restricted", id="f-4", restricted=True),
        fact("answer", id="f-5", type="acknowledgement.given.v1", audience=(BAGHDAD,)),
        fact("letter", id="f-6", type="letter.sent.v1", audience=(DUHOK,)),
        fact(second, id="f-7", version=2, type="case.closed.v1", statistical={"status": "closed"}),
    ]
    told[5] = Fact(told[5].head, told[5].statistical, told[5].operational, b"ciphertext")
    return told


def told_by_baghdad() -> list[Fact]:
    """A directive for Ninewa and one for somebody else."""
    return [
        fact("directive-1", id="d-1", type="directive.issued.v1", audience=(NINEWA,)),
        fact("directive-2", id="d-2", type="directive.issued.v1", audience=(DUHOK,)),
    ]


class Journal:
    """A journal in memory and the batches of its links, two entries each."""

    def __init__(self, origin: str, facts: list[Fact]) -> None:
        self.origin, self.key = origin, KEYS[origin]
        self.entries: list[Entry] = [record(at, one, bytes([at]) * 16) for at, one in enumerate(facts, 1)]
        self.places = [start(origin, 1)]
        chain = digests(self.places[0], [entry.leaf for entry in self.entries])
        self.places += [Position(at, digest) for at, digest in enumerate(chain, 1)]

    def said_to(self, destination: str) -> list[Message]:
        relays = frozenset({DUHOK}) if destination.startswith("directorate") else frozenset[str]()
        shown = [
            show(one, decide(HOW[destination], destination, audience(one.head), one.restricted, relays))
            for one in self.entries
        ]
        said: list[Message] = [Hello(self.origin, 1, 3, "boot", self.places[-1], "jisr")]
        chain = [place.digest for place in self.places[1:]]
        for at in range(0, len(shown), 2):
            batch = pack(self.origin, 1, self.places[at], shown[at : at + 2], chain[at : at + 2], 10**6)
            said.append(batch)
        said.append(Held(destination, 1, start(destination, 1), 2**21, "ok", ""))
        return said


def main(release: str, directory: Path = GOLDEN) -> Path:
    """Write the file of `release`."""
    ninewa, baghdad = Journal(NINEWA, told_by_ninewa()), Journal(BAGHDAD, told_by_baghdad())
    links = [
        _link(ninewa, BAGHDAD, withheld=0),
        _link(ninewa, ERBIL, withheld=2),
        _link(baghdad, NINEWA, withheld=1),
    ]
    document = {"release": release, "links": links, "bundle": _bundle(ninewa, BAGHDAD)}
    directory.mkdir(exist_ok=True)
    file = directory / f"{release}.json"
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return file


def _link(journal: Journal, destination: str, *, withheld: int) -> dict[str, Any]:
    messages = []
    for said in journal.said_to(destination):
        body, headers = sign(said, journal.key)
        messages.append({"kind": said.kind, "body": base64.b64encode(body).decode(), "headers": headers})
    return {
        "origin": journal.origin,
        "destination": destination,
        "key": base64.b64encode(journal.key.verify_key.raw).decode(),
        "messages": messages,
        "head": {"number": journal.places[-1].number, "digest": journal.places[-1].hex},
        "withheld": withheld,
    }


def _bundle(journal: Journal, destination: str) -> str:
    file = io.BytesIO()
    until = len(journal.entries)
    made = bundle.Header(journal.origin, destination, "operational", 1, 0, until, "2026-11-20T00:00:00Z", "jisr")
    bundle.write_header(file, made)
    for said in journal.said_to(destination):
        if isinstance(said, Batch):
            bundle.write_frame(file, *sign(said, journal.key))
    bundle.write_end(file)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    print(main(sys.argv[1]))
