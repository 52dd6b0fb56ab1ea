"""Two histories of one journal, as an operator meets them on the command line."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from sqlmodel import select

from kernel.clock import now
from kernel.database import Database
from kernel.fact import Fact
from kernel.recovered import RecoveredRecord
from services.case.tables import CaseRecord
from services.sync import doubt, journal, recalls
from services.sync.doubt import Doubt
from services.sync.message import Recall as Asked
from services.sync.recalls import PIECE_BYTES
from services.sync.tables import JournalEntry, JournalState, Recall
from tests.kit.nodes import Country, Node
from tests.node.test_bundle_commands import BAGHDAD, jisr, sync
from tests.services.case.office import Office
from tests.services.sync.facts import fact, slice_of

ERBIL = "directorate-erbil"
WITHOUT = ("--without", ERBIL, "--wait", "60")


class Answering:
    """In the place of the engines: what ninewa's table asks, the directorates' replicas answer."""

    def __init__(self, ninewa: Database, holders: Mapping[str, Database]) -> None:
        self._ninewa, self._holders = ninewa, holders
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(0.02):
            with self._ninewa.read() as session:
                rows = [row for row in session.exec(select(Recall)) if row.done < row.asks]
                asked = {row.source: max(recalls.fetched(session, row.source), row.after) for row in rows}
            for row in rows:
                most = 0 if row.until is None else PIECE_BYTES
                with self._holders[row.source].read() as session:
                    said = recalls.answer(session, Asked("ninewa", row.asks, asked[row.source], most), node=row.source)
                with self._ninewa.write_silently() as session:
                    recalls.keep(session, "ninewa", said)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(20)


def carry(origin: Node, directorate: Node) -> None:
    """What a line would have brought."""
    file = origin.settings.home / f"for-{directorate.settings.node}.jisr"
    jisr(origin, "bundle", "export", "--to", directorate.settings.node, str(file))
    assert jisr(directorate, "bundle", "import", str(file)).exit_code == 0


def go_back_to(database: Database, number: int) -> None:
    """The journal as an old backup has it."""
    with database.write_silently() as session:
        state = session.get_one(JournalState, 1)
        for each in range(number + 1, state.number + 1):
            session.delete(session.get_one(JournalEntry, each))
        state.number, state.digest = number, session.get_one(JournalEntry, number).digest


def record(database: Database, facts: list[Fact], stream: str) -> None:
    with database.write() as session:
        if session.get(JournalState, 1) is None:
            journal.begin(session, "ninewa")
        journal.append(session, [journal.take(slice_of(facts, stream=stream))], origin="ninewa", now=now())


@pytest.fixture
def restored(country: Country) -> Iterator[Node]:
    """A governorate that has four of its ten entries, and records on; its directorate answers."""
    baghdad = country.add(BAGHDAD)
    ninewa = country.add("ninewa", links=[baghdad])
    jisr(ninewa, "migrate")
    jisr(baghdad, "migrate", "sync")
    with sync(ninewa) as database, sync(baghdad) as held:
        with database.write() as session:
            journal.begin(session, "ninewa")
            journal.append(session, [journal.take(slice_of([fact() for _ in range(10)]))], origin="ninewa", now=now())
        carry(ninewa, baghdad)
        go_back_to(database, 4)
        with database.write() as session:
            since = journal.take(slice_of([fact() for _ in range(3)], stream="since"))
            journal.append(session, [since], origin="ninewa", now=now())
        answering = Answering(database, {BAGHDAD: held})
        yield ninewa
        answering.stop()


def test_a_dry_run_says_what_a_recovery_does_and_changes_nothing(restored: Node) -> None:
    dry = jisr(restored, "sync", "recover", "--dry-run", "--json", *WITHOUT)
    assert dry.exit_code == 1, dry.stderr
    plan = json.loads(dry.stdout)["plan"]
    assert (plan["source"], plan["after"], plan["until"], plan["lost"], plan["renumbered"]) == (BAGHDAD, 4, 10, 6, 3)
    asks = jisr(restored, "sync", "recover", "--json", *WITHOUT)
    assert (asks.exit_code, "--yes" in asks.stderr) == (2, True)
    done = jisr(restored, "sync", "recover", "--yes", "--json", *WITHOUT)
    result = json.loads(done.stdout)
    assert (result["result"]["recovered"], result["result"]["renumbered"], result["result"]["head"]) == (6, 3, 13)
    assert result["handed"]["facts"] == 6
    assert done.exit_code == (1 if result["handed"]["incomplete"] else 0)
    again = jisr(restored, "sync", "recover", "--json", *WITHOUT)
    assert (again.exit_code, json.loads(again.stdout)["plan"]) == (0, None)
    (report,) = [each for each in json.loads(jisr(restored, "verify", "--json").stdout) if each["what"] == "journal"]
    assert (report["ok"], report["entries"]) == (True, 13)


def test_what_only_a_copy_with_another_history_holds_comes_back_and_is_handed_over(country: Country) -> None:
    baghdad, erbil = country.add(BAGHDAD), country.add(ERBIL)
    ninewa = country.add("ninewa", links=[baghdad, erbil])
    for node in (ninewa, baghdad, erbil):
        jisr(node, "migrate")
    with ExitStack() as opened:
        database, *held = (opened.enter_context(sync(node)) for node in (ninewa, baghdad, erbil))
        cases = Database(ninewa.settings.database_url_of("case"), service="case")
        opened.callback(cases.close)
        office = Office(cases)
        case, untouched = office.open(), office.open()
        known = office.facts()
        lost = [
            fact(case.id, version=2, type="case.triaged.v1", operational={"risk": "high"}),
            fact(untouched.id, version=2, type="case.triaged.v1", statistical={"status": "triaged"}),
            fact(),
        ]
        record(database, known, "known")
        record(database, lost, "lost")
        carry(ninewa, erbil)
        go_back_to(database, len(known))
        office.triage(case, risk="low")
        since = [*office.facts()[len(known) :], fact(), fact(), fact()]
        record(database, since, "since")
        carry(ninewa, baghdad)  # before anybody knew; it holds more than Erbil does
        answering = Answering(database, dict(zip((BAGHDAD, ERBIL), held, strict=True)))
        opened.callback(answering.stop)
        with database.write_silently() as session:
            doubt.raise_(session, Doubt(doubt.LinkState.DIVERGED, "Erbil holds another history.", ERBIL))

        said = json.loads(jisr(ninewa, "sync", "recover", "--yes", "--json", "--wait", "60").stdout)
        assert (said["plan"]["source"], said["plan"]["lost"]) == (BAGHDAD, 0)
        assert [(fork["source"], fork["after"]) for fork in said["plan"]["forks"]] == [(ERBIL, len(known))]
        assert said["result"]["renumbered"] == 3
        assert said["handed"] == {"facts": 3, "restored": 1, "incomplete": 2, "renumbered": 0}
        with cases.read() as session:
            kept, brought = session.get_one(CaseRecord, case.id), session.get_one(CaseRecord, untouched.id)
            assert (kept.version, kept.risk) == (3, "low"), "it stays as people left it, and is told again"
            assert (brought.version, brought.status, brought.incomplete) == (3, "triaged", True), "told again, whole"
            assert session.get(RecoveredRecord, ("case", lost[2].subject)) is not None


def test_a_doubt_is_shown_and_ended_by_a_word_with_a_reason(restored: Node) -> None:
    with sync(restored) as database, database.write_silently() as session:
        doubt.raise_(session, Doubt(doubt.LinkState.ROLLED_BACK, "It ends early.", doubt.MARK))
    shown = json.loads(jisr(restored, "status", "--json").stdout)
    assert (shown["journal"]["doubt"], shown["journal"]["doubt_reason"]) == ("rolled_back", "It ends early.")
    kept = jisr(restored, "sync", "keep", "--reason", "the mark was another machine's", "--json")
    assert (kept.exit_code, json.loads(kept.stdout)["doubt"]) == (0, "rolled_back")
    assert jisr(restored, "sync", "keep", "--reason", "again").exit_code == 2


def test_only_what_a_diverged_replica_holds_can_be_set_aside(restored: Node) -> None:
    refused = jisr(restored, "sync", "set-aside", BAGHDAD, "--after", "3", "--reason", "to see")
    assert (refused.exit_code, "only what a diverged replica holds" in refused.stderr) == (2, True)
