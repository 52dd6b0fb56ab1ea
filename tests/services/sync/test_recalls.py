"""What an origin asks of those who hold its journal: one look at the table for all of them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from kernel.database import Database
from services.sync import recalls
from services.sync.message import Recall, Recalled
from services.sync.position import start
from services.sync.recalls import Recaller
from tests.conftest import MakeDatabase

HOLDERS = tuple(f"governorate-{number}" for number in range(19))


class AtOnce:
    """A lane that does each job in its turn, and timers that run only when they are told to."""

    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def run(self, job: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
        done(job())

    def call_later(self, _seconds: float, callback: Callable[[], None]) -> None:
        self.later.append(callback)

    def remove_timeout(self, timer: Any) -> None:
        self.later.remove(timer)

    def tick(self) -> None:
        due, self.later = self.later, []
        for callback in due:
            callback()


def asking(database: Database) -> tuple[Recaller, AtOnce, list[tuple[str, Recall]]]:
    said: list[tuple[str, Recall]] = []

    def to(source: str) -> Callable[[Recall], bool]:
        def publish(recall: Recall) -> bool:
            said.append((source, recall))
            return True

        return publish

    world: Any = AtOnce()
    recaller = Recaller("ninewa", database=database, lane=world, timers=world)
    for source in HOLDERS:
        recaller.may_ask(source, to(source))
    return recaller, world, said


def test_however_many_hold_a_journal_one_look_reads_the_table_once(make_database: MakeDatabase) -> None:
    database = make_database("sync")
    recaller, world, said = asking(database)
    recaller.start()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    world.tick()
    assert sum(statement.startswith("SELECT") for statement in statements) == 1
    assert len(world.later) == 1
    assert said == []


def test_every_holder_that_is_wanted_is_asked_once_and_no_more_when_it_answered(make_database: MakeDatabase) -> None:
    database = make_database("sync")
    recaller, world, said = asking(database)
    with database.write_silently() as session:
        for source in (*HOLDERS[:3], "nobody-with-a-link"):
            recalls.ask(session, source, 4)
    recaller.start()
    world.tick()
    assert {source: recall.after for source, recall in said} == dict.fromkeys(HOLDERS[:3], 4)
    assert len(said) == 3, "who was asked has time to answer"
    zero = start("ninewa", 1)
    recaller.on_recalled(Recalled(HOLDERS[0], 1, "ninewa", 1, 7, zero, zero, zero, b""))
    with database.read() as session:
        row = session.get_one(recalls.RecallRow, HOLDERS[0])
        assert (row.asks, row.done, row.session) == (1, 1, 7)
