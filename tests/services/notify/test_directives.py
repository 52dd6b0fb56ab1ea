"""Directives down, acknowledgements up, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, select

from contracts.roles import Role
from kernel.database import Database
from kernel.errors import BadInput, Forbidden
from kernel.fact import Fact, canonical, unpack
from kernel.outbox import OutboxRow
from services.notify.handlers import directives, facts
from services.notify.handlers.directives import DirectiveNotFound, NotADirectorate, OwnDirective
from services.notify.tables import DeliveryRow, DirectiveRow, NotificationRow
from tests.conftest import MakeDatabase
from tests.services.notify.facts import (
    DIRECTORATE,
    NODE,
    NOON,
    acknowledgement_fact,
    actor,
    directive_fact,
    know,
)

DIRECTOR = actor("director", Role.PROVINCIAL_DIRECTOR)
WORDING = {"title": {"ar": "عنوان", "en": "A title"}, "text": {"ar": "نص", "en": "A text"}}


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    made = make_database("notify")
    with made.write() as session:
        know(session, "director", Role.PROVINCIAL_DIRECTOR, unit=None)
        know(session, "supervisor", Role.UNIT_SUPERVISOR)
        know(session, "officer", Role.COMMUNITY_OFFICER)
    return made


def published(session: Session) -> list[Fact]:
    return [unpack(row.envelope) for row in session.exec(select(OutboxRow)).all()]


def issue(session: Session, *governorates: str, **changes: Any) -> DirectiveRow:
    return directives.issue_directive(
        session,
        {**WORDING, "governorates": list(governorates), **changes},
        node=DIRECTORATE,
        governorates=["ninewa", "anbar"],
        now=NOON,
    )


def arrive(session: Session, fact: Fact, origin: str = DIRECTORATE, node: str = NODE) -> list[NotificationRow]:
    return facts.take_arrival(session, fact, origin=origin, node=node, mails=True, now=NOON)


def test_a_directive_is_a_row_and_a_fact_for_every_governorate(database: Database) -> None:
    with database.write() as session:
        row = issue(session)
        (fact,) = published(session)
    assert (fact.type, fact.subject, fact.audience) == ("directive.issued.v1", row.id, ())
    assert fact.operational_values()["text"] == WORDING["text"]
    assert fact.statistical_values() == {}, "a link that shows statistics shows no directive"


def test_a_directive_for_some_is_addressed_to_them_alone(database: Database) -> None:
    with database.write() as session:
        issue(session, "ninewa", "anbar", "ninewa")
        assert published(session)[0].audience == ("anbar", "ninewa")


@pytest.mark.parametrize(
    "changes",
    [{"title": {"ar": "عنوان"}}, {"title": {}, "text": {}}, {"governorates": ["basra"]}],
    ids=["other languages", "no language", "no such link"],
)
def test_a_directive_that_cannot_be_read_or_delivered_is_refused(database: Database, changes: dict[str, Any]) -> None:
    with database.write() as session, pytest.raises(BadInput):
        issue(session, **changes)


def test_a_governorate_issues_no_directive(database: Database) -> None:
    with database.write() as session, pytest.raises(NotADirectorate):
        directives.issue_directive(session, {**WORDING, "governorates": []}, node=NODE, governorates=[], now=NOON)


def test_a_directive_that_arrives_is_kept_and_told_to_supervisors_and_director(database: Database) -> None:
    fact = directive_fact()
    with database.write() as session:
        told = {row.account_id for row in arrive(session, fact)}
        row = session.get_one(DirectiveRow, fact.subject)
        mails = session.exec(select(DeliveryRow)).all()
    assert told == {"director", "supervisor"}
    assert (row.origin, row.title["en"], row.issued_at) == (DIRECTORATE, "A title", NOON)
    assert len(mails) == 2


def test_a_directive_that_arrives_twice_is_told_once(database: Database) -> None:
    fact = directive_fact()
    with database.write() as session:
        assert len(arrive(session, fact)) == 2
    with database.write() as session:
        assert arrive(session, fact) == []


def test_a_directive_of_another_shape_is_refused_and_leaves_nothing(database: Database) -> None:
    fact = replace(directive_fact(), operational=canonical({"title": "not a table of languages"}))
    with pytest.raises(BadInput), database.write() as session:
        arrive(session, fact)
    with database.read() as session:
        assert session.exec(select(DirectiveRow)).all() == []
        assert facts.unseen(session, [fact], arrived=True) == [fact]


def test_an_acknowledgement_goes_to_the_directorate_that_issued_and_names_a_role_only(database: Database) -> None:
    fact = directive_fact()
    with database.write() as session:
        arrive(session, fact)
        directives.acknowledge_directive(
            session, fact.subject, Role.PROVINCIAL_DIRECTOR, by=DIRECTOR, node=NODE, now=NOON
        )
        (given,) = published(session)
    assert given.type == "acknowledgement.given.v1"
    assert given.audience == (DIRECTORATE,)
    assert given.statistical_values() == {"directive": fact.subject, "role": "provincial_director"}
    assert set(given.operational_values()) == {"at"}
    assert b'director"' not in given.head, "no account"


def test_acknowledging_again_in_the_same_role_changes_nothing_and_in_another_adds_one(database: Database) -> None:
    fact = directive_fact()
    both = actor("director", Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR)
    with database.write() as session:
        arrive(session, fact)
        for role in (Role.PROVINCIAL_DIRECTOR, Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR):
            row = directives.acknowledge_directive(session, fact.subject, role, by=both, node=NODE, now=NOON)
        known = directives.acknowledgements(session, [row])[row.id]
        assert [given.role for given in known] == ["provincial_director", "unit_supervisor"]
        assert len(published(session)) == 2


def acknowledge(role: Role, *roles: Role) -> Callable[[Session, str], object]:
    def call(session: Session, directive_id: str) -> object:
        by = actor("somebody", *roles)
        return directives.acknowledge_directive(session, directive_id, role, by=by, node=NODE, now=NOON)

    return call


@pytest.mark.parametrize(
    "attempt",
    [
        acknowledge(Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR),
        acknowledge(Role.COMMUNITY_OFFICER, Role.COMMUNITY_OFFICER),
    ],
    ids=["in a role of somebody else", "in a role that acknowledges nothing"],
)
def test_nobody_acknowledges_in_a_role_that_is_not_theirs_to_use(
    database: Database, attempt: Callable[[Session, str], object]
) -> None:
    fact = directive_fact()
    with database.write() as session:
        arrive(session, fact)
        with pytest.raises(Forbidden):
            attempt(session, fact.subject)


def test_what_is_not_there_or_is_ones_own_cannot_be_acknowledged(database: Database) -> None:
    with database.write() as session:
        own = issue(session)
        with pytest.raises(DirectiveNotFound):
            acknowledge(Role.UNIT_SUPERVISOR, Role.UNIT_SUPERVISOR)(session, "no-such-directive")
        with pytest.raises(OwnDirective):
            directives.acknowledge_directive(
                session, own.id, Role.PROVINCIAL_DIRECTOR, by=DIRECTOR, node=DIRECTORATE, now=NOON
            )


def test_the_directorate_learns_who_acknowledged_whichever_way_the_link_shows_it(database: Database) -> None:
    with database.write() as session:
        row = issue(session)
        arrive(session, acknowledgement_fact(row.id), origin="ninewa", node=DIRECTORATE)
        bare = replace(acknowledgement_fact(row.id), operational=b"")  # as a statistical link shows it
        arrive(session, bare, origin="erbil", node=DIRECTORATE)
        known = directives.acknowledgements(session, [row])[row.id]
    assert {(given.node, given.role) for given in known} == {
        ("ninewa", "provincial_director"),
        ("erbil", "provincial_director"),
    }


def test_directives_are_listed_newest_first_and_by_whether_they_are_acknowledged(database: Database) -> None:
    with database.write() as session:
        first, second = issue(session), issue(session)
        arrive(session, acknowledgement_fact(first.id), origin="ninewa", node=DIRECTORATE)
    with database.read() as session:
        every = directives.list_directives(session, acknowledged=None, limit=9, after=None)
        done = directives.list_directives(session, acknowledged=True, limit=9, after=None)
        open_ = directives.list_directives(session, acknowledged=False, limit=9, after=None)
    assert [row.id for row in every.items] == [second.id, first.id]
    assert [row.id for row in done.items] == [first.id]
    assert [row.id for row in open_.items] == [second.id]
