"""With a recovery key, what the case service keeps comes back out of its facts; without it nobody reads them."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from contracts.case import NoteKind
from contracts.safekeeping import CopyFact
from kernel import safekeeping
from kernel.crypto import CannotOpen, OpeningKey
from kernel.fact import Fact
from kernel.safekeeping import Safekeeping, is_kept
from services.case import handlers, sealing
from services.case.tables import CaseRecord
from services.case.tables.columns import Base
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import HANDLER, NODE, SUPERVISOR, Office
from tests.services.case.test_identity_at_rest import TOLD, ZAINAB, at_work

KEY = OpeningKey(bytes(range(32)))


@pytest.fixture
def office(make_database: MakeDatabase) -> Office:
    """An office whose node has a recovery key."""
    database = make_database("case")
    made = Office(database)
    turn_on(made)
    return made


def turn_on(office: Office) -> Safekeeping:
    how = Safekeeping(NODE, "case", KEY.sealing_key, CopyFact)
    office.database.info["safekeeping"] = how
    return how


def rows(office: Office) -> dict[str, set[str]]:
    """Every row that is kept, by table, as text."""
    names = [model.__tablename__ for model in Base.__subclasses__() if is_kept(model)]

    def read(session: Session, name: str) -> set[str]:
        found = session.connection().execute(text(f"SELECT * FROM {name}"))  # noqa: S608
        return {repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in found}

    return {name: office.run(partial(read, name=name)) for name in names}


def restored(facts: list[Fact], make_database: MakeDatabase) -> Office:
    """An office on a new server, to which the copies came back."""
    fresh = Office(make_database("case"))
    opened = safekeeping.open_all(NODE, facts, KEY)
    with fresh.database.write() as session:
        safekeeping.restore(session, Base, opened.rows.get("case", []))
    return fresh


def whole_life(office: Office) -> CaseRecord:
    case = at_work(office)
    (party,) = life.party_ids(office, case)
    life.consent(office, case, party, purpose="referral")
    office.partner()
    other = office.at_work(parties=[ZAINAB])
    office.withdraw(other)
    life.apply(office)
    return case


def test_every_row_comes_back_as_it_was(office: Office, make_database: MakeDatabase) -> None:
    case = whole_life(office)
    fresh = restored(office.facts(), make_database)
    before, after = rows(office), rows(fresh)
    assert {table: after[table] for table in before} == before
    assert len(before["case_party"]) == 2
    found = fresh.get(case, HANDLER)
    assert found.identity is not None
    assert found.identity.narrative == TOLD


def test_without_the_key_not_a_word_can_be_read_in_what_leaves(office: Office) -> None:
    at_work(office)
    for fact in office.facts():
        said = fact.head + fact.statistical + fact.operational + fact.sealed
        for personal in ("زينب", "07701234567", "mill", "knife", "third house", "sister"):
            assert personal.encode() not in said
        if fact.type == safekeeping.TYPE:
            with pytest.raises(CannotOpen):
                OpeningKey.new().open(fact.sealed, context=b"")
    other = safekeeping.open_all(NODE, office.facts(), OpeningKey.new())
    assert (other.rows, other.sealed_to_another > 0) == ({}, True)


def test_a_node_without_a_recovery_key_copies_nothing(make_database: MakeDatabase) -> None:
    office = Office(make_database("case"))
    at_work(office)
    assert safekeeping.TYPE not in {fact.type for fact in office.facts()}


def test_what_was_there_before_the_key_is_copied_when_it_is_made(make_database: MakeDatabase) -> None:
    office = Office(make_database("case"))
    case = whole_life(office)
    how = turn_on(office)
    assert safekeeping.copy_all(office.database, Base, how) == sum(len(each) for each in rows(office).values())
    office.note(case, text="written afterwards")
    fresh = restored(office.facts(), make_database)
    assert rows(fresh) == rows(office)


def test_what_people_changed_since_the_restore_stays(office: Office, make_database: MakeDatabase) -> None:
    case = office.open()
    facts = office.facts()
    office.triage(case)
    newer = Office(make_database("case"))
    with newer.database.write() as session:  # an older backup, and somebody went on with it
        safekeeping.restore(session, Base, safekeeping.open_all(NODE, facts, KEY).rows["case"])
    newer.triage(case)
    newer.assign(case)
    with newer.database.write() as session:
        safekeeping.restore(session, Base, safekeeping.open_all(NODE, office.facts(), KEY).rows["case"])
    assert newer.row(case).version > office.row(case).version


def test_what_was_erased_stays_erased(office: Office, make_database: MakeDatabase) -> None:
    case = at_work(office)

    def erase(session: Session) -> Any:
        row = session.get_one(CaseRecord, case.id)
        return handlers.erase_identity(session, row, by=SUPERVISOR, reason="as the person asked", now=office.now)

    office.wait(days=1)
    office.run(erase)
    fresh = restored(office.facts(), make_database)
    assert rows(fresh) == rows(office)
    assert fresh.run(lambda session: sealing.is_erased(session, case.id))


def test_a_change_that_is_rolled_back_is_not_copied(office: Office) -> None:
    case = office.open()
    told = office.facts()

    def fails(session: Session) -> None:
        session.get_one(CaseRecord, case.id).notes = 7
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        office.run(fails)
    assert office.facts() == told


def test_many_rows_are_told_in_pieces_that_can_be_carried(office: Office, make_database: MakeDatabase) -> None:
    case = office.at_work()

    def write(session: Session) -> None:
        for _ in range(50):
            sealing.sealed_note(session, case.id, NoteKind.NOTE, "x" * 8000, author_id="a", now=office.now)

    told = len(office.facts())
    office.run(write)
    assert len(office.facts()) - told > 1
    assert rows(restored(office.facts(), make_database)) == rows(office)
