"""What the broker lost is asked for, and each fact is still handled once: on both databases."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from contracts.roles import Role
from kernel.clock import now
from kernel.database import Database
from kernel.errors import BrokerAway
from kernel.fact import Fact, canonical, pack
from services.notify import catching_up
from services.notify.catching_up import ARRIVALS, JOURNAL
from services.notify.handlers import cursors, facts
from services.notify.tables import DirectiveRow, NotificationRow
from tests.conftest import MakeDatabase
from tests.services.notify.facts import DIRECTORATE, NODE, NOON, POLICY, case_fact, directive_fact, know


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    made = make_database("notify")
    with made.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER)
        know(session, "director", Role.PROVINCIAL_DIRECTOR)
    return made


class Streams:
    """What the sync service holds, answered as its RPC answers."""

    def __init__(self, **streams: list[str]) -> None:
        self.streams = streams
        self.origin = NODE
        self.away_after: int | None = None

    def __call__(self, stream: str, after: int, limit: int) -> dict[str, Any]:
        if self.away_after is not None and after >= self.away_after:
            raise BrokerAway
        envelopes = self.streams.get(stream, [])
        numbered = [
            {"number": number, "origin": self.origin, "envelope": envelope}
            for number, envelope in enumerate(envelopes, start=1)
            if number > after
        ]
        return {"head": len(envelopes), "items": numbered[:limit]}


def envelope(fact: Fact) -> str:
    return pack(fact).decode()


def assigned() -> Fact:
    return case_fact("assigned", handler="officer", at=now())


def catch_up(database: Database, streams: Streams, stream: str = JOURNAL) -> int:
    return catching_up.catch_up(database, streams, stream, node=NODE, mails=True, policy=POLICY)


def notified(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(NotificationRow)).all())


def place(database: Database, stream: str = JOURNAL) -> int:
    with database.read() as session:
        return cursors.place(session, stream)


def test_a_fact_that_the_broker_never_brought_is_handled(database: Database) -> None:
    assert catch_up(database, Streams(journal=[envelope(assigned())])) == 1
    assert notified(database) == 1


def test_a_fact_that_the_broker_did_bring_is_not_handled_again(database: Database) -> None:
    fact = assigned()
    with database.write() as session:
        facts.take_fact(session, fact, node=NODE, mails=True, policy=POLICY, now=NOON)
    assert catch_up(database, Streams(journal=[envelope(fact)])) == 0
    assert notified(database) == 1


def test_the_broker_bringing_late_what_was_caught_up_changes_nothing(database: Database) -> None:
    fact = assigned()
    catch_up(database, Streams(journal=[envelope(fact)]))
    with database.write() as session:
        assert facts.take_fact(session, fact, node=NODE, mails=True, policy=POLICY, now=NOON) == []


def test_reading_goes_on_where_it_ended(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "LIMIT", 2)
    streams = Streams(journal=[envelope(assigned()) for _ in range(5)])
    assert catch_up(database, streams) == 5
    assert place(database) == 5
    streams.streams[JOURNAL].append(envelope(assigned()))
    assert catch_up(database, streams) == 1


def test_an_answer_that_fails_to_come_keeps_what_was_read_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "LIMIT", 2)
    streams = Streams(journal=[envelope(assigned()) for _ in range(5)])
    streams.away_after = 2
    with pytest.raises(BrokerAway):
        catch_up(database, streams)
    assert (place(database), notified(database)) == (2, 2)
    streams.away_after = None
    assert catch_up(database, streams) == 3


def test_a_pass_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "LIMIT", 1)
    monkeypatch.setattr(catching_up, "ROUNDS", 2)
    streams = Streams(journal=[envelope(assigned()) for _ in range(3)])
    assert [catch_up(database, streams), catch_up(database, streams)] == [2, 1]


def test_one_bad_fact_does_not_end_the_reading(database: Database) -> None:
    broken = replace(directive_fact(), operational=canonical({"title": 1}))
    streams = Streams(arrivals=["not an envelope", envelope(broken), envelope(directive_fact())])
    streams.origin = DIRECTORATE
    catch_up(database, streams, ARRIVALS)
    assert (place(database, ARRIVALS), notified(database)) == (3, 1)


def test_a_directive_is_caught_up_with_its_origin(database: Database) -> None:
    fact = directive_fact()
    streams = Streams(arrivals=[envelope(fact)])
    streams.origin = DIRECTORATE
    assert catch_up(database, streams, ARRIVALS) == 1
    with database.read() as session:
        assert session.get_one(DirectiveRow, fact.subject).origin == DIRECTORATE


def test_a_journal_that_went_back_is_read_again_from_its_beginning(database: Database) -> None:
    old = [envelope(assigned()) for _ in range(4)]
    catch_up(database, Streams(journal=old))
    assert catch_up(database, Streams(journal=[old[0], envelope(assigned())])) == 1
    assert (place(database), notified(database)) == (2, 5)


def test_each_stream_has_its_own_place(database: Database) -> None:
    streams = Streams(journal=[envelope(assigned())], arrivals=[])
    catch_up(database, streams, JOURNAL)
    catch_up(database, streams, ARRIVALS)
    assert (place(database, JOURNAL), place(database, ARRIVALS)) == (1, 0)
