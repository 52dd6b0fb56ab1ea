"""A journal that was put back from an old backup, and used, becomes one history again; real engines and brokers."""

import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import select

from node.processes import prepare
from node.recovering import Recovering
from services.sync.rewriting import Rewritten
from services.sync.tables import Base, JournalEntry, Life
from services.sync.verify import verify_journal, verify_replica
from tests.kit import wait
from tests.replication.country import BAGHDAD, ERBIL, Country, Node, converged

SECONDS = 90


def back_up(node: Node) -> "Backup":
    return Backup(node)


def as_written(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the tables take it: JSON as text."""
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}


class Backup:
    """The sync database of a node whose engine is not running, as it is now; the mark is outside it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        with node.database.read() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in KERNEL:
                    self._rows[table] = [as_written(row) for row in session.execute(table.select()).mappings()]

    def restore(self, *, mark: bool) -> None:
        """Put it back; with `mark` as if the whole machine went back, and the file beside the database with it."""
        with self._node.database.write_silently() as session:
            for table in reversed(self._rows):
                session.execute(table.delete())
            for table, rows in self._rows.items():
                if rows:
                    session.execute(table.insert(), rows)
        if mark:
            (self._node.home / "journal.mark").unlink()


KERNEL = {"outbox_row", "outbox_stream", "inbox", "audit_line", "stored_answer"}


def recover(node: Node, **options: Any) -> Rewritten:
    """What `jisr sync recover --yes` does to the journal."""
    recovering = Recovering(prepare(node.settings_file), wait=SECONDS, **options)
    plan = recovering.look().plan
    assert plan is not None
    recovering.fetch(plan, lambda _source, _count, _total: None)
    return recovering.apply(plan)


def facts_of(node: Node) -> list[str]:
    with node.database.read() as session:
        return list(session.exec(select(JournalEntry.fact_id).order_by(JournalEntry.number)))  # type: ignore[arg-type]


def whole(node: Node, origin: str | None = None) -> None:
    with node.database.read() as session:
        report = verify_journal(session, node.name) if origin is None else verify_replica(session, origin)
    assert report.ok, report


def state_of(node: Node, origin: str) -> str | None:
    row = node.replica(origin)
    return None if row is None else str(row.state)


def one_history(ninewa: Node, *directorates: Node, facts: int) -> None:
    converged(ninewa, *directorates, at_least=facts, seconds=SECONDS)
    held = facts_of(ninewa)
    assert len(held) == len(set(held)) == facts
    whole(ninewa)
    for node in directorates:
        whole(node, "ninewa")


def test_what_was_restored_and_used_becomes_one_history_again(country: Country) -> None:
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    first = ninewa.record_some(10)
    converged(ninewa, baghdad, erbil, at_least=10, seconds=SECONDS)
    assert ninewa.stop() == 0
    backup = back_up(ninewa)
    ninewa.start()
    lost = ninewa.record_some(25)
    converged(ninewa, baghdad, erbil, at_least=35, seconds=SECONDS)
    before = facts_of(ninewa)
    assert ninewa.stop() == 0
    backup.restore(mark=False)
    ninewa.start()
    since = ninewa.record_some(15)  # it records, and says that something is wrong
    wait.until(lambda: ninewa.head_number() == 25, seconds=SECONDS, what="what is recorded since is in the journal")
    wait.until(lambda: ninewa.link_state(ERBIL) == "rolled_back", seconds=SECONDS, what="the link says so")
    assert baghdad.held("ninewa").number == 35  # type: ignore[union-attr]

    done = recover(ninewa)
    assert (done.recovered, done.in_part, done.renumbered, done.epoch) == (25, 0, 15, 2)
    assert facts_of(ninewa)[:35] == before
    one_history(ninewa, baghdad, erbil, facts=50)
    assert set(facts_of(ninewa)) == {one.id for one in [*first, *lost, *since]}
    ninewa.record_some(5)
    one_history(ninewa, baghdad, erbil, facts=55)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "idle", seconds=SECONDS, what="all is well")
    assert baghdad.replica("ninewa").epoch == 2  # type: ignore[union-attr]
    assert baghdad.count(Life, Life.origin == "ninewa") == 1
