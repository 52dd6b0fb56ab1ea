"""Databases, inbox, stored answers, audit log and lists: the same on SQLite and PostgreSQL."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import TextClause, text
from sqlmodel import select

from kernel import audit, idempotency
from kernel.clock import now
from kernel.database import Database
from kernel.errors import BadInput, IdempotencyKeyReused, Unavailable
from kernel.identity import Actor
from kernel.inbox import InboxEntry, first_time
from kernel.migration import migrate, pending_migrations
from kernel.paging import page
from tests.conftest import Databases, MakeDatabase

ACTOR = Actor("a1", "Amal", frozenset(), "ninewa")


def test_migrations_are_applied_once_and_named_while_pending(databases: Databases) -> None:
    url = databases.empty()
    pending = pending_migrations(url, "forum")
    assert pending[0] == "k001"
    assert migrate(url, "forum") == pending
    assert migrate(url, "forum") == []
    assert pending_migrations(url, "forum") == []


def test_a_failed_transaction_leaves_nothing_and_wakes_nobody(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    woken: list[int] = []
    database.on_commit.append(lambda: woken.append(1))

    def fail() -> None:
        with database.write() as session:
            assert first_time(session, "c", "f1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.write() as session:
        assert first_time(session, "c", "f1")
    assert woken == [1]


def test_an_instant_comes_back_as_the_same_aware_instant(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    instant = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    with database.write() as session:
        session.add(InboxEntry(consumer="c", fact_id="f", taken_at=instant))
    with database.read() as session:
        kept = session.exec(select(InboxEntry)).one().taken_at
    assert kept == instant
    assert kept.utcoffset() == timedelta(0)


def test_a_fact_is_taken_once_by_each_consumer(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    with database.write() as session:
        assert [first_time(session, consumer, "f1") for consumer in "aab"] == [True, False, True]


def test_a_locked_sqlite_database_is_unavailable_and_nothing_changed(
    make_sqlite_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.database.SQLITE_BUSY_SECONDS", 0.1)
    url = str(make_sqlite_database("forum").engine.url)
    database = Database(url, service="forum")
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="database of forum"), database.write() as session:
        first_time(session, "c", "f1")
    other.execute("ROLLBACK")
    other.close()
    with database.write() as session:
        assert first_time(session, "c", "f1")
    database.close()


def test_a_full_sqlite_database_is_unavailable_and_serves_again_when_there_is_room(
    make_sqlite_database: MakeDatabase,
) -> None:
    database = make_sqlite_database("forum")
    with database.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()

    def limit(most: int) -> None:  # the pragma belongs to a connection; the pool hands out the same one again
        with database.read() as session:
            session.connection().exec_driver_sql(f"PRAGMA max_page_count={most}")

    limit(pages)

    def fill() -> None:
        with database.write() as session:
            for number in range(2000):
                first_time(session, "c", f"fact-{number}")

    with pytest.raises(Unavailable):
        fill()
    limit(1_000_000)
    with database.write() as session:
        assert first_time(session, "c", "fact-0")


def test_a_postgresql_that_is_away_is_unavailable() -> None:
    database = Database("postgresql+psycopg2://nobody@127.0.0.1:1/none", service="case")
    assert not database.answers()
    with pytest.raises(Unavailable), database.write():
        pass


def test_a_request_is_answered_once_and_its_answer_repeated(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    request = idempotency.request_digest("open_case", b"{}")
    with database.write() as session:
        assert idempotency.claim(session, "a1", "k1", request, now=now()) is None
        idempotency.keep(session, "a1", "k1", b"answer")
    with database.write() as session:
        assert idempotency.claim(session, "a1", "k1", request, now=now()) == b"answer"
        assert idempotency.claim(session, "a2", "k1", request, now=now()) is None
    other = idempotency.request_digest("open_case", b'{"a":1}')
    with pytest.raises(IdempotencyKeyReused), database.write() as session:
        idempotency.claim(session, "a1", "k1", other, now=now())


def test_an_answer_is_forgotten_after_three_days(make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "NEWEST", 0)
    database = make_database("forum")
    request = idempotency.request_digest("open_case", b"{}")
    with database.write() as session:
        idempotency.claim(session, "a1", "k1", request, now=now() - timedelta(days=3, minutes=1))
    with database.write() as session:
        assert idempotency.claim(session, "a1", "k1", request, now=now()) is None


def test_a_clock_that_jumps_ten_years_makes_no_request_new(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    request = idempotency.request_digest("open_case", b"{}")
    with database.write() as session:
        assert idempotency.claim(session, "a1", "k1", request, now=now()) is None
        idempotency.keep(session, "a1", "k1", b"answer")
    ahead = now() + timedelta(days=3653)
    with database.write() as session:
        assert idempotency.claim(session, "a1", "k2", request, now=ahead) is None
    with database.write() as session:
        assert idempotency.claim(session, "a1", "k1", request, now=ahead) == b"answer"


def test_of_two_concurrent_requests_with_one_key_one_is_carried_out(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    request = idempotency.request_digest("open_case", b"{}")
    together = threading.Barrier(4)
    seen: list[bytes | None] = []

    def ask() -> None:
        together.wait()
        with database.write() as session:
            answer = idempotency.claim(session, "a1", "k1", request, now=now())
            if answer is None:
                idempotency.keep(session, "a1", "k1", b"answer")
            seen.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [None, b"answer", b"answer", b"answer"]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "ك"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="Idempotency-Key"):
        idempotency.check_key(key)


def write_audit(database: Database, lines: int) -> None:
    with database.write() as session:
        for number in range(lines):
            audit.record(
                session,
                actor=ACTOR,
                action="read_identity",
                subject=f"case-{number}",
                outcome="allowed",
                reason="follow-up",
                at=now(),
            )


def test_an_audit_log_that_nobody_touched_is_whole(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    write_audit(database, 5)
    with database.read() as session:
        assert audit.verify_audit(session) is None


@pytest.mark.parametrize(
    "tamper",
    [
        text("UPDATE audit_entry SET actor_id = 'someone-else' WHERE number = 3"),
        text("DELETE FROM audit_entry WHERE number = 3"),
        text("UPDATE audit_entry SET reason = NULL WHERE number = 3"),
    ],
)
def test_a_changed_or_removed_audit_line_is_named(make_database: MakeDatabase, tamper: TextClause) -> None:
    database = make_database("forum")
    write_audit(database, 5)
    with database.write() as session:
        session.connection().execute(tamper)
    with database.read() as session:
        assert audit.verify_audit(session) == 3


def test_a_list_is_stable_while_rows_are_added(make_database: MakeDatabase) -> None:
    database = make_database("forum")
    with database.write() as session:
        for number in range(0, 50, 2):
            first_time(session, "c", f"{number:03}")
    seen: list[str] = []
    after = None
    while True:
        with database.read() as session:
            found = page(session, select(InboxEntry), key=InboxEntry.fact_id, limit=10, after=after)
        seen += [row.fact_id for row in found.items]
        if found.next is None:
            break
        with database.write() as session:
            first_time(session, "c", f"{int(seen[-1]) - 1:03}")
        after = found.next
    assert seen == [f"{number:03}" for number in range(0, 50, 2)]


def test_a_cursor_of_another_list_is_refused(make_database: MakeDatabase) -> None:
    with make_database("forum").read() as session, pytest.raises(BadInput, match="cursor"):
        page(session, select(InboxEntry), key=InboxEntry.fact_id, limit=10, after="Ω")


def test_sqlite_keeps_every_commit_on_disk(make_sqlite_database: MakeDatabase, tmp_path: Path) -> None:
    database = make_sqlite_database("forum")
    with database.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
