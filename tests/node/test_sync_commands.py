"""Two histories of one journal, as an operator meets them on the command line."""

import json
import threading
from collections.abc import Iterator

import pytest
from sqlmodel import select

from kernel.clock import now
from kernel.database import Database
from services.sync import doubt, journal, recalls
from services.sync.doubt import Doubt
from services.sync.message import Recall as Asked
from services.sync.recalls import PIECE_BYTES
from services.sync.tables import JournalEntry, JournalState, Recall
from tests.kit.nodes import Country, Node
from tests.node.test_bundle_commands import BAGHDAD, jisr, sync
from tests.services.sync.facts import fact, slice_of

WITHOUT = ("--without", "directorate-erbil", "--wait", "60")


class Answering:
    """In the place of both engines: what ninewa's table asks, Baghdad's replica answers."""

    def __init__(self, ninewa: Database, baghdad: Database) -> None:
        self._ninewa, self._baghdad = ninewa, baghdad
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
                with self._baghdad.read() as session:
                    said = recalls.answer(session, Asked("ninewa", row.asks, asked[row.source], most), node=BAGHDAD)
                with self._ninewa.write_silently() as session:
                    recalls.keep(session, "ninewa", said)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(20)


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
        file = ninewa.settings.home / "ninewa.jisr"
        jisr(ninewa, "bundle", "export", "--to", BAGHDAD, str(file))
        jisr(baghdad, "bundle", "import", str(file))
        with database.write_silently() as session:
            state = session.get_one(JournalState, 1)
            state.number, state.digest = 4, session.get_one(JournalEntry, 4).digest
            for number in range(5, 11):
                session.delete(session.get_one(JournalEntry, number))
        with database.write() as session:
            since = journal.take(slice_of([fact() for _ in range(3)], stream="since"))
            journal.append(session, [since], origin="ninewa", now=now())
        answering = Answering(database, held)
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
