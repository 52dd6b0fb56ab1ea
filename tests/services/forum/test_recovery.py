"""What came back of forums from a directorate after this service's database was put back from an old backup."""

from typing import Any

import pytest

import contracts.forum as contract
from contracts import numbers
from contracts.recovered import RecoveredQuery
from kernel.fact import Fact
from kernel.recovered import RecoveredRecord
from services.forum.handlers import actions, recovery
from services.forum.tables import Action, Base, Forum, Meeting
from tests.conftest import MakeDatabase
from tests.services.forum.desk import ISO, Desk, facilitator

YEAR = 2026


@pytest.fixture
def before(make_database: MakeDatabase) -> Desk:
    """The service as it was, until its machine burnt."""
    return Desk(make_database("forum"))


@pytest.fixture
def after(make_database: MakeDatabase) -> Desk:
    """The service that goes on, from a backup."""
    return Desk(make_database("forum"))


def put_back(before: Desk, after: Desk) -> None:
    """Copy every row, as a backup does."""
    for table in Base.metadata.sorted_tables:
        with before.database.read() as session:
            rows = [dict(row) for row in session.execute(table.select()).mappings()]
        if rows:
            with after.database.write_silently() as session:
                session.execute(table.insert(), rows)


def take_over(desk: Desk, facts: list[Fact], since: dict[str, int] | None = None) -> Any:
    with desk.database.write() as session:
        return recovery.take_over(session, facts, iso=ISO, since=since or {}, now=desk.now, rules=desk.rules)


def row(desk: Desk, table: type[Any], key: str) -> Any:
    return desk.read(lambda session: session.get_one(table, key))


def listed(desk: Desk) -> dict[str, RecoveredRecord]:
    found = desk.read(lambda session: recovery.list_recovered(session, RecoveredQuery().load({})))
    return {each.subject: each for each in found.items}


def test_a_forum_that_is_gone_keeps_its_number_and_is_incomplete(before: Desk, after: Desk) -> None:
    before.proposed()
    put_back(before, after)
    known = len(before.facts())
    gone = before.proposed()
    number = row(before, Forum, gone).number
    done = take_over(after, before.facts()[known:])
    assert (done.facts, done.incomplete, done.renumbered) == (2, 2, 0), "the forum and its area"
    assert (listed(after)[gone].number, listed(after)[gone].incomplete) == (number, True)
    assert row(after, Forum, after.proposed()).number == numbers.number(ISO, YEAR, 3, "F")
    assert take_over(after, before.facts()[known:]).incomplete == 0, "done again, it changes nothing"


def test_a_meeting_planned_since_gives_way_and_keeps_the_number_on_its_paper(before: Desk, after: Desk) -> None:
    forum = before.established()
    put_back(before, after)
    known = len(before.facts())
    gone, since = before.planned(forum), after.planned(forum)
    former = row(after, Meeting, since).number
    assert row(before, Meeting, gone).number == former
    assert take_over(after, before.facts()[known:]).renumbered == 1
    given = numbers.number(ISO, YEAR, 2, "M")
    assert row(after, Meeting, since).number == given
    assert after.facts("meeting.")[-1].type == "meeting.recovered.v1"
    assert after.facts("meeting.")[-1].operational_values()["number"] == given
    assert (listed(after)[since].former_number, listed(after)[since].incomplete) == (former, False)
    assert listed(after)[gone].number == former


def test_an_older_action_is_brought_to_what_its_facts_say(before: Desk, after: Desk) -> None:
    forum = before.active()
    action = before.action(forum)
    put_back(before, after)
    known = len(before.facts())
    by = facilitator(forum)
    before.ask(actions.agree_action, contract.AgreeAction, by, action_id=action)
    before.ask(actions.start_action, contract.StartAction, by, action_id=action)
    told = len(after.facts())
    done = take_over(after, before.facts()[known:])
    assert (done.restored, done.incomplete) == (1, 1)
    found = row(after, Action, action)
    assert (found.version, found.status) == (row(before, Action, action).version, contract.ActionStatus.IN_PROGRESS)
    assert len(after.facts()) == told, "everybody else knows it already"


def test_an_action_changed_since_stays_as_people_left_it_and_is_told_again(before: Desk, after: Desk) -> None:
    forum = before.active()
    action = before.action(forum)
    put_back(before, after)
    known = len(before.facts())
    by = facilitator(forum)
    before.ask(actions.agree_action, contract.AgreeAction, by, action_id=action)
    before.ask(actions.start_action, contract.StartAction, by, action_id=action)
    after.ask(actions.drop_action, contract.DropAction, by, action_id=action, reason="no_means")
    since = {action: row(after, Action, action).version}
    lost = [one for one in before.facts()[known:] if one.kind == "action"]
    done = take_over(after, lost, since)
    assert (done.restored, done.incomplete) == (0, 0)
    found = row(after, Action, action)
    assert (found.version, found.status) == (lost[-1].version + 1, contract.ActionStatus.DROPPED)
    assert after.facts("action.")[-1].version == found.version
    take_over(after, lost, since)
    assert row(after, Action, action).version == found.version, "done again, it changes nothing"
