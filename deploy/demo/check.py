"""The proof of the main job: a case opened in Ninewa is read in Baghdad and Erbil, whatever happens in
between.

Each step is something a person could do by hand, and each sentence in the report is something that was seen:
cases are opened over HTTP, a line is cut so that its TCP connection dies and cannot be made again, a process
is killed, and then records, digests, notifications and files are compared. The country that it runs on has a
home of its own, begun anew.
"""

import random
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from contracts.case.words import Category
from deploy.demo.client import Api
from deploy.demo.compare import case_differences, differences, own_records
from deploy.demo.country import Country
from deploy.demo.marked import Markers, People, hold_forum, open_case, work_on
from deploy.demo.search import Find, search

CUT_FROM, CUT_TO, KEPT_TO = "ninewa", "directorate-baghdad", "directorate-erbil"
SECOND = "duhok"
OUTBOXES = ("gateway", "forum", "case", "notify")
SETTLE_SECONDS = 90
SHOWN = 5

MARKED = (
    (Category.FAMILY_DISPUTE, "closed"),
    (Category.HARASSMENT, "held"),
    (Category.DOMESTIC_ABUSE, "proposed"),
    (Category.PROPERTY_DISPUTE, "withdrawn"),
)


class Failed(RuntimeError):
    """Something is not as it must be; the text says what."""


@dataclass
class Check:
    """One run. `counts` and `seconds` are what the report shows."""

    country: Country
    seed: int
    say: Callable[[str], None]
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    published: str = ""

    def __post_init__(self) -> None:
        dice = random.Random(f"{self.seed}:markers")
        self.markers = {node: Markers(dice) for node in (CUT_FROM, SECOND)}
        self.people = {node: People(self.country, node) for node in self.country.governorates}
        self.analysts = {node: self.country.api(node, "analyst") for node in self.country.directorates}
        self.line = self.country.lines[CUT_FROM, CUT_TO]

    def run(self) -> None:
        """Every step in its order. Failed at the first that makes the next ones pointless."""
        with self._step("both directorates hold what was loaded"):
            self._settle()
        with self._step("cases are opened in Ninewa and Duhok"):
            self._work(CUT_FROM, MARKED)
            self._work(SECOND, MARKED[:2])
            for node, markers in self.markers.items():
                hold_forum(self.people[node], markers)
        with self._step("the line Ninewa → Baghdad is cut and Ninewa goes on"):
            before = self._cut()
            self._work(CUT_FROM, MARKED[:2])
            self._kill_engine()
            self._work(CUT_FROM, MARKED[2:])
            self._only_erbil_follows(before)
        with self._step("the line is healed and both hold every head"):
            self.line.heal()
            self._settle()
        with self._step("records and chains are compared"):
            self._compare_records()
        with self._step("a directive reaches every governorate"):
            self._directive()
        with self._step("files are searched for what must not have left"):
            self._search()

    # -- the steps
    # -------------------------------------------------------------------------------------------------

    def _work(self, node: str, cases: tuple[tuple[Category, str], ...]) -> None:
        people, markers = self.people[node], self.markers[node]
        for category, ending in cases:
            case = open_case(people, markers, category)
            work_on(people, markers, case, ending)
            self._count("cases_opened")

    def _cut(self) -> int:
        """Cut the line; what Baghdad holds of Ninewa at that moment."""
        if self.line.connection_count == 0:
            raise Failed("Ninewa had no connection to Baghdad to cut")
        self.line.cut()
        if self.line.connection_count or _can_connect(self.line.port):
            raise Failed("the line was cut and still carries a connection")
        state = self._until(self._lost, 30, "Ninewa's link to Baghdad says that it is not connected")
        self.say(f"  Ninewa says of its link to Baghdad: {state}")
        return self._held(CUT_TO, CUT_FROM)[0]

    def _lost(self) -> str:
        state = _link(self.people[CUT_FROM]["operator"], CUT_TO)["state"]
        return state if state not in ("idle", "sending", "waiting") else ""

    def _kill_engine(self) -> None:
        name = f"{CUT_FROM} engine"
        pid = self.country.processes.kill(name)
        case = open_case(self.people[CUT_FROM], self.markers[CUT_FROM], Category.NEIGHBOUR_DISPUTE)
        self.published = case["id"]
        self._count("cases_opened")
        self.say(f"  SIGKILL to process {pid}; a case was opened while no engine ran")
        self._until(lambda: self.country.processes.restarts(name), 30, "the engine is started again")
        self._until(lambda: self.country.ready(CUT_FROM), 60, "Ninewa's engine is ready again")

    def _only_erbil_follows(self, before: int) -> None:
        """Erbil holds everything, Baghdad no more than before."""
        head = self._until(partial(self._in_step, CUT_FROM, KEPT_TO), SETTLE_SECONDS, "Erbil follows Ninewa")
        here = self._held(CUT_TO, CUT_FROM)[0]
        if here != before:
            raise Failed(f"Baghdad went from {before} to {here} entries of Ninewa over a line that was cut")
        if head[0] <= before:
            raise Failed("Ninewa's journal did not grow while the line was cut")
        self._count("entries_behind_when_healed", head[0] - before)
        self.say(f"  Ninewa and Erbil stand at {head[0]}, Baghdad at {before}")

    def _compare_records(self) -> None:
        for origin in self.country.governorates:
            own = own_records(self.country.places[origin].home / "sync.db")
            for directorate, analyst in self.analysts.items():
                clearance = self.country.topology.nodes[origin].links[directorate]
                records = list(analyst.every("/records", origin=origin))
                wrong, compared, withheld = differences(own, records, directorate, clearance)
                self.wrong += [f"{directorate} holds of {origin}: {text}" for text in wrong]
                self._count("records_compared", len(records))
                self._count("fields_compared", compared)
                self._count("records_withheld", withheld)
                self._compare_cases(origin, directorate, records)
        for name in ("records_compared", "records_withheld"):
            if not self.counts[name]:
                raise Failed(f"nothing was counted as {name}: the comparison compared nothing")
        self._none_wrong()

    def _compare_cases(self, origin: str, directorate: str, records: list[dict[str, Any]]) -> None:
        clearance = self.country.topology.nodes[origin].links[directorate]
        held = {record["subject"]: record for record in records if record["kind"] == "case"}
        for case in self.people[origin]["director"].every("/cases"):
            if case["id"] in held:
                wrong, compared = case_differences(case, held[case["id"]], clearance)
                self.wrong += [f"{directorate} holds of {origin}: {text}" for text in wrong]
                self._count("fields_compared_with_the_api", compared)

    def _directive(self) -> None:
        author = self.country.api(CUT_TO, "author")
        wording = {"ar": "توجيه تجريبي", "ckb": "ڕێنمایی تاقیکاری", "en": "A directive of the check"}
        directive = author.post("/directives", {"title": wording, "text": wording})
        for node in self.country.governorates:
            director = self.people[node]["director"]
            self._until(
                partial(_notified, director, directive["id"]),
                SETTLE_SECONDS,
                f"the directive is in the inbox of {node}'s director",
            )
            self._count("directives_notified")

    def _search(self) -> None:
        fields = {marker: name for one in self.markers.values() for marker, name in one.fields.items()}
        own, _ = search([self.country.places[node].home for node in self.markers], fields)
        self._found_at_home(fields, own)
        finds, read = search(self._places_that_must_not_know(), fields)
        self._count("markers", len(fields))
        self._count("files_searched", read)
        self.wrong += [f"planted in {fields.get(find.marker, 'some field')}, found: {find}" for find in finds]
        self._none_wrong()

    def _found_at_home(self, fields: dict[str, str], own: list[Find]) -> None:
        """The search must find what it looks for where it must be: in the databases of the node that owns
        it. But not what is sealed there."""
        kept = {find.marker for find in own}
        sealed = {marker for one in self.markers.values() for marker in one.at_rest}
        self.wrong += [f"sealed at rest, found: {find}" for find in own if find.marker in sealed]
        elsewhere = kept | sealed
        hidden = [name for marker, name in fields.items() if marker not in elsewhere and "idempotency" not in name]
        if hidden:
            raise Failed(f"not found in the databases of its own node, so the search is blind: {hidden[:SHOWN]}")
        if not any("case.db" in find.place for find in own):
            raise Failed("no marker was found in any case.db, so the search is blind")

    def _places_that_must_not_know(self) -> list[Path]:
        """Everything of the directorates and the broker; of governorates the journal and the logs."""
        places = [self.country.places[node].home for node in self.country.directorates]
        for node in self.country.governorates:
            home = self.country.places[node].home
            places += [home / "log", *home.glob("sync.db*")]
        if self.country.brokers.files is not None:
            places.append(self.country.brokers.files)
            self._broker_files_can_be_read(self.country.brokers.files)
        return places

    def _broker_files_can_be_read(self, files: Path) -> None:
        """What did go over the broker is found in its files: the id of a case, which is in every fact of
        it."""
        if not search([files], [self.published])[0]:
            raise Failed("a case's id, which was published, is not found in the broker's files: the search is blind")

    # -- looking
    # -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Wait until both directorates hold every governorate's head, digest by digest."""
        for origin in self.country.governorates:
            for directorate in self.country.directorates:
                head = self._until(
                    partial(self._in_step, origin, directorate),
                    SETTLE_SECONDS,
                    f"{directorate} holds {origin}'s head",
                )
            self.counts[f"entries_{origin}"] = head[0]

    def _in_step(self, origin: str, directorate: str) -> tuple[int, str] | None:
        """The head, when all that was accepted is in the journal and the directorate holds exactly that."""
        if self._waiting_in_outboxes(origin):
            return None
        head = self.people[origin]["operator"].get("/journal")["head"]
        held = self._held(directorate, origin)
        return held if held == (head["number"], head["digest"]) and held[0] > 0 else None

    def _held(self, directorate: str, origin: str) -> tuple[int, str]:
        for replica in self.analysts[directorate].get("/replicas")["items"]:
            if replica["origin"] == origin:
                if replica["state"] not in ("ok", "silent"):
                    raise Failed(f"{directorate} says that {origin} is {replica['state']}: {replica['reason']}")
                return replica["held"]["number"], replica["held"]["digest"]
        return 0, ""

    def _waiting_in_outboxes(self, node: str) -> int:
        return sum(_outbox(self.country.places[node].home / f"{name}.db") for name in OUTBOXES)

    def _until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        return self.country.wait(condition, seconds, what)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self.say(name)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)

    def _count(self, name: str, more: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    def _none_wrong(self) -> None:
        if self.wrong:
            raise Failed(f"{len(self.wrong)} differences: " + "; ".join(self.wrong[:SHOWN]))


def _link(operator: Api, destination: str) -> dict[str, Any]:
    return next(link for link in operator.get("/links")["items"] if link["destination"] == destination)


def _notified(director: Api, directive_id: str) -> bool:
    return any(item["subject"] == directive_id for item in director.every("/notifications"))


def _outbox(database: Path) -> int:
    """How many facts of one service are committed and not yet in the journal."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        return int(opened.execute("SELECT count(*) FROM outbox_row").fetchone()[0])


def _can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
