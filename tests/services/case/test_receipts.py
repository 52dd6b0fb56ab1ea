"""Receipts: what their holders can do, and what stays of a report that somebody deletes by hand."""

import hashlib
from typing import Any

import pytest
from sqlmodel import select

from contracts import numbers
from contracts.case.receipts import ByReceipt, KeepReceipt, KeepReport, Progress, Proof, Report
from contracts.roles import PUBLIC, Role
from kernel.errors import MoveRefused, TooManyRequests
from kernel.identity import Actor
from services.case import completeness, handlers
from services.case.completeness import Told
from services.case.handlers.receipts import MOST_WORDS, WrongReceipt
from services.case.refusals import CaseNotFound
from services.case.tables import CaseRecord, Receipt
from tests.services.case.office import (
    DIRECTOR,
    HANDLER,
    INSPECTOR,
    INTAKE,
    NO_TO_ALL,
    OFFICER,
    OTHER_SUPERVISOR,
    SUPERVISOR,
    Office,
    person,
)

NOBODY = Actor(PUBLIC, "", frozenset({PUBLIC}), "ninewa")
REPORTED = {"answers": NO_TO_ALL, "category": "harassment", "district": "mosul", "narrative": "every evening"}


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def issue(office: Office, case: CaseRecord, word: str = "slip", by: Actor = INTAKE, **values: Any) -> Receipt:
    kept = {"hash": digest(word), "commitment": digest(f"proof of {word}"), **values}
    receipt: Receipt = office.do(handlers.issue_receipt, KeepReceipt, by, case_id=case.id, **kept)
    return receipt


def report(office: Office, word: str = "slip", **values: Any) -> Receipt:
    kept = {"hash": digest(word), "commitment": digest(f"proof of {word}")}
    receipt: Receipt = office.do(handlers.report, KeepReport, NOBODY, **{**REPORTED, **kept, **values})
    return receipt


def state(office: Office, word: str = "slip") -> Progress:
    return Progress(office.run(lambda session: handlers.state_by_receipt(session, {"hash": digest(word)})))


def say(office: Office, what: Any, word: str = "slip", **values: Any) -> Progress:
    return Progress(office.do(what, ByReceipt, NOBODY, hash=digest(word), **values))


def test_a_holder_learns_how_the_case_stands_in_the_fewest_words(office: Office) -> None:
    case = office.open()
    issue(office, case)
    assert state(office) is Progress.RECEIVED
    office.triage(case)
    assert state(office) is Progress.RECEIVED
    office.assign(case)
    assert state(office) is Progress.IN_HAND
    office.start(case)
    office.propose(case)
    assert state(office) is Progress.IN_HAND
    office.close(case)
    assert state(office) is Progress.ENDED


def test_a_holder_tells_more_and_the_handler_reads_it(office: Office) -> None:
    case = office.at_work()
    issue(office, case, by=SUPERVISOR)
    assert say(office, handlers.add_by_receipt, text="it happened again") is Progress.IN_HAND
    assert [(note.kind.value, note.text) for note in office.notes(case, HANDLER)] == [
        ("by_receipt", "it happened again")
    ]
    fact = office.last_fact()
    assert (fact.type, fact.version) == ("receipt.added.v1", 2)
    assert "again" not in fact.operational.decode() + fact.statistical.decode()


def test_a_holder_contests_a_closing_and_the_case_is_open_again_and_counts_as_before(office: Office) -> None:
    case = office.proposed()
    issue(office, case, by=SUPERVISOR)
    with pytest.raises(MoveRefused):
        say(office, handlers.contest_by_receipt, text="nobody asked me")
    office.close(case)
    assert say(office, handlers.contest_by_receipt, text="nobody asked me") is not Progress.ENDED
    again = office.row(case)
    assert (again.status.value, again.recording_class) == ("contested", case.recording_class)
    assert [fact.type for fact in office.facts()][-2:] == ["receipt.contested.v1", "case.contested.v1"]


def test_a_holder_who_wants_it_dropped_is_spoken_to_first(office: Office) -> None:
    case = office.at_work()
    issue(office, case, by=SUPERVISOR)
    assert say(office, handlers.withdraw_by_receipt) is Progress.IN_HAND
    assert office.row(case).status == case.status
    assert office.last_fact().type == "receipt.withdrawal_asked.v1"


def test_an_unknown_receipt_and_one_that_has_ended_are_refused_alike(office: Office) -> None:
    case = office.open()
    issue(office, case, "lost")
    issue(office, case, "new", instead=True)
    with pytest.raises(WrongReceipt) as ended:
        state(office, "lost")
    with pytest.raises(WrongReceipt) as unknown:
        state(office, "never")
    assert ended.value.as_dict() == unknown.value.as_dict()
    assert state(office, "new") is Progress.RECEIVED


def test_a_receipt_asked_for_again_is_the_same_one(office: Office) -> None:
    case = office.open()
    assert issue(office, case).id == issue(office, case).id
    assert len(office.run(lambda session: session.exec(select(Receipt)).all())) == 1


@pytest.mark.parametrize("by", [OFFICER, OTHER_SUPERVISOR], ids=lambda actor: actor.name)
def test_a_receipt_is_given_by_who_reaches_the_case(office: Office, by: Actor) -> None:
    with pytest.raises(CaseNotFound):
        issue(office, office.open(), by=by)


def test_one_receipt_does_not_fill_the_database(office: Office) -> None:
    issue(office, office.open())
    for _ in range(MOST_WORDS):
        say(office, handlers.add_by_receipt, text="x")
    with pytest.raises(TooManyRequests):
        say(office, handlers.add_by_receipt, text="x")


def test_somebody_without_an_account_reports_and_the_intake_unit_triages(office: Office) -> None:
    receipt = report(office, parties=[{"role": "reporter", "phone": "0770 123 4567"}])
    case = office.run(lambda session: session.get_one(CaseRecord, receipt.case_id))
    assert (case.unit, case.channel.value, case.opened_by) == ("intake", "online", PUBLIC)
    assert state(office) is Progress.RECEIVED
    for stranger in (INTAKE, SUPERVISOR, HANDLER):
        assert case.id not in office.listed(stranger)
    leading = person("leading", Role.UNIT_SUPERVISOR, unit="intake")
    assert office.listed(leading) == [case.id]
    office.triage(case, by=leading)


def test_a_report_sent_again_is_one_case(office: Office) -> None:
    assert report(office).id == report(office).id
    assert len(office.run(lambda session: session.exec(select(CaseRecord)).all())) == 1


def test_a_report_of_the_police_stands_behind_the_wall(office: Office) -> None:
    case_id = report(office, category="complaint_against_police").case_id
    leading = person("leading", Role.UNIT_SUPERVISOR, unit="intake")
    assert office.listed(leading) == office.listed(DIRECTOR) == []
    assert office.listed(INSPECTOR) == [case_id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "ninewa-1"},
        {"risk": "low"},
        {"staff": []},
        {"narrative": "x" * 8001},
        {"narrative": ""},
        {"parties": [{"role": "reporter"}] * 6},
        {"recording_class": "non_crime"},
    ],
)
def test_a_report_is_bounded_and_decides_nothing(wrong: dict[str, Any]) -> None:
    assert Report().validate({**REPORTED, **wrong})


@pytest.mark.parametrize(
    "written", ["0123-4567-89AB-CDEF", "o123 4567 89ab cdef", "OI23456789ABCDEF", "٠١٢٣456789ABCDEF"]
)
def test_a_proof_is_read_as_it_was_written_down(written: str) -> None:
    assert Proof().deserialize(written) == "0123456789ABCDEF"


# --- what remains when a row is deleted by hand


def told(office: Office) -> list[Told]:
    """What the journal would hold: the last of each subject."""
    last: dict[str, Told] = {}
    for entry, fact in enumerate(office.facts(), start=1):
        if fact.kind in ("case", "receipt"):
            number = fact.operational_values()["case_number"]
            last[fact.subject] = Told(fact.kind, fact.subject, fact.version, entry, number)
    return list(last.values())


def looked(office: Office, known: list[Told]) -> list[str]:
    return office.run(lambda session: [str(each) for each in completeness.missing(session, known)])


def delete(office: Office, case: CaseRecord) -> None:
    """What somebody with a database console can do, who first drops the trigger."""
    if office.database.dialect == "postgresql":
        drop = ["DROP TRIGGER case_record_kept ON case_record", "DROP TRIGGER case_intake_kept ON case_intake"]
    else:
        drop = ["DROP TRIGGER case_record_kept", "DROP TRIGGER case_intake_kept"]
    for statement in drop:
        office.execute(statement)
    for table in ("receipt", "case_intake", "case_narrative", "case_party", "case_note", "case_key"):
        office.execute(f"DELETE FROM {table} WHERE case_id = '{case.id}'")  # noqa: S608
    office.execute(f"DELETE FROM case_record WHERE id = '{case.id}'")  # noqa: S608


def test_nothing_is_missing_where_nothing_was_deleted(office: Office) -> None:
    issue(office, office.at_work(), by=SUPERVISOR)
    report(office)
    report(office, "another", category="corruption")
    assert looked(office, told(office)) == []


def test_a_case_deleted_by_hand_is_named_by_the_journal(office: Office) -> None:
    case, _after = office.open(), office.open()
    issue(office, case)
    known = told(office)
    delete(office, case)
    (named,) = looked(office, known)
    assert named == f"{case.number} is in the journal and not in the database"


def test_and_by_the_numbers_where_the_journal_was_lost_too(office: Office) -> None:
    office.open()
    case, _after = office.open(), office.open()
    delete(office, case)
    assert looked(office, []) == [f"{case.number} is a gap in the numbers"]


def test_a_sequence_that_was_set_back_is_found(office: Office) -> None:
    office.open()
    last = office.open()
    office.execute("UPDATE number_sequence SET last = 1")
    assert looked(office, []) == [f"{last.number} is beyond the last number taken"]
    assert last.number == numbers.number("NI", 2026, 2)


def test_a_receipt_deleted_by_hand_and_a_case_set_back_are_named(office: Office) -> None:
    case, other = office.at_work(), office.at_work()
    issue(office, case, by=SUPERVISOR)
    known = told(office)
    office.execute("DELETE FROM receipt")
    office.execute(f"UPDATE case_record SET version = 2 WHERE id = '{other.id}'")  # noqa: S608
    assert sorted(looked(office, known)) == sorted(
        [
            f"{case.number} has a receipt in the journal and not in the database",
            f"{other.number} is in the journal at version 4, here at 2",
        ]
    )
