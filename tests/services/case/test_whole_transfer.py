"""The whole case goes to another governorate, in as many parts as it needs, and the office there goes on with it."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from contracts.case import CaseStatus, RecordingClass, TransferQuery
from contracts.case.evidence import EvidenceState
from contracts.case.reclassification import ReclassificationStatus
from contracts.case.transfers import TransferStatus
from kernel.crypto import CannotOpen, OpeningKey
from kernel.errors import MoveRefused
from kernel.fact import Fact
from kernel.outbox import OutboxRow
from services.case import handlers
from services.case.handlers import letters as post
from services.case.refusals import NotTransferable, OwnAct, TransferNotFound
from services.case.tables import (
    Assistance,
    CaseConsent,
    CaseNote,
    CaseRecord,
    Confirmation,
    Evidence,
    LegalHold,
    Mediation,
    Reclassification,
    Referral,
    Transfer,
    TransferPart,
)
from services.case.transfer import content, parts
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import DIRECTOR, FORCE, HANDLER, INSPECTOR, SUPERVISOR, Office
from tests.services.case.test_erasure import hold
from tests.services.case.test_evidence import PICTURE, kept
from tests.services.case.test_transfers import NAME, SECOND, THERE, WORKER_THERE, Ends

TOPOLOGY = Path(__file__).parents[3] / "deploy" / "topology.toml"
BESIDE = (CaseConsent, Reclassification, Confirmation, Referral, Mediation, Assistance, LegalHold, Evidence)


@pytest.fixture
def ends(make_database: MakeDatabase) -> Ends:
    made = Ends(lambda: Office(make_database("case")))
    made.part_bytes = 3000
    return made


def noise(number: int) -> str:
    """A text that cannot be made shorter."""
    return random.Random(number).randbytes(300).hex()


def full(office: Office, directory: Path) -> CaseRecord:
    """A case in which everything has happened that can happen."""
    people = [{**life.WOMAN, "name": NAME}, life.MAN]
    case = office.at_work(parties=people, answers=FORCE, narrative="what she told", contact_plan=life.PLAN)
    life.approve(office, life.reclassify(office, case))
    life.agreed(office, case)
    office.propose(office.row(case))
    office.close(office.row(case), by=DIRECTOR)
    office.wait(days=28)
    life.draw(office)
    (interview,) = life.confirmations(office, life.CENTRAL)
    life.answer(office, interview, "contested", by=life.CENTRAL)
    office.assign(office.row(case), fits_preference=True)
    office.start(office.row(case))
    office.accept(office.refer(case))
    office.refer(case, office="the school", urgency="normal")
    life.of_call(office, "acknowledge", life.call_for_help(office, case))
    kept(office, directory, case)
    hold(office, office.row(case))
    for number in range(30):
        office.note(case, text=f"{number} {noise(number)}")
    return office.row(case)


def rows_of(office: Office, table: Any, case: CaseRecord) -> list[Any]:
    with office.database.read() as session:
        return list(session.exec(select(table).where(table.case_id == case.id).order_by(table.id)).all())


def given_away(ends: Ends, case: CaseRecord) -> tuple[Transfer, list[Fact]]:
    """Released; and the facts that carry it."""
    transfer = ends.accepted(case)
    ends.release(transfer)
    return transfer, [fact for fact in ends.letters("ninewa", "duhok") if fact.type == "transfer.released.v1"]


def test_everything_that_belongs_to_a_case_goes_along(ends: Ends, tmp_path: Path) -> None:
    ninewa, duhok = ends.offices["ninewa"], ends.offices["duhok"]
    case = full(ninewa, tmp_path)
    transfer = ends.moved(case)
    there = duhok.row(case)
    assert (there.recording_class, there.current_class) == (RecordingClass.CRIME_INDICATED, RecordingClass.NON_CRIME)
    assert (there.reopened, there.closings, there.counted) == (case.reopened, 1, False)
    for table in BESIDE:
        here = rows_of(ninewa, table, case)
        assert here, table
        assert [row.id for row in rows_of(duhok, table, case)] == [row.id for row in here], table
    (decided,) = rows_of(duhok, Reclassification, case)
    assert decided.status is ReclassificationStatus.APPROVED
    assert decided.proposed_by != decided.decided_by
    assert decided.proposed_by.startswith("node:ninewa:")
    (evidence,) = rows_of(duhok, Evidence, case)
    assert evidence.state is EvidenceState.ELSEWHERE
    accounts = {HANDLER.id, SUPERVISOR.id, DIRECTOR.id, life.CENTRAL.id}
    written = [row.model_dump() for table in (*BESIDE, CaseNote) for row in rows_of(duhok, table, case)]
    assert not accounts & {value for row in written for value in row.values() if isinstance(value, str)}
    row = ends.row("duhok", transfer)
    assert row is not None
    assert row.parts is not None
    assert row.parts > 1
    assert row.parts_here == row.parts


def test_the_office_there_goes_on_with_what_was_begun_and_the_sender_does_not(ends: Ends, tmp_path: Path) -> None:
    ninewa, duhok = ends.offices["ninewa"], ends.offices["duhok"]
    case = full(ninewa, tmp_path)
    ends.moved(case)
    duhok.now = ninewa.now
    accepted, waiting = rows_of(ninewa, Referral, case)
    (mediation,) = rows_of(ninewa, Mediation, case)
    (call,) = rows_of(ninewa, Assistance, case)
    for change in (
        lambda: ninewa.complete(accepted),
        lambda: ninewa.accept(waiting),
        lambda: life.of_mediation(ninewa, "breach", mediation),
        lambda: life.of_call(ninewa, "arrive", call),
        lambda: life.reclassify(ninewa, case),
        lambda: life.name_staff(ninewa, case, staff_account="somebody"),
    ):
        with pytest.raises(MoveRefused):
            change()
    for office in (ninewa, duhok):
        office.wait(days=8)
    assert ninewa.break_silence() == 0
    assert duhok.break_silence() == 1
    there = duhok.row(case)
    duhok.triage(there, by=THERE)
    duhok.assign(there, to=WORKER_THERE, by=THERE, fits_preference=True)
    duhok.start(there, by=WORKER_THERE)
    duhok.begin(accepted, by=WORKER_THERE)
    duhok.complete(accepted, by=WORKER_THERE)
    life.of_mediation(duhok, "breach", mediation, by=WORKER_THERE)
    life.of_call(duhok, "arrive", call, by=WORKER_THERE)
    back = ends.accepted(there, "duhok", "ninewa", handler=WORKER_THERE, by=THERE, there=SUPERVISOR)
    ends.release(back, "duhok", by=THERE)
    ends.exchange()
    home = ninewa.row(case)
    assert (home.owned, home.counted, home.current_class) == (True, True, RecordingClass.NON_CRIME)
    assert [row.status for row in rows_of(ninewa, Referral, case)] == ["completed", "sent"]
    assert [row.sent_by for row in rows_of(ninewa, Referral, case)] == [HANDLER.id, HANDLER.id]
    assert [row.status for row in rows_of(ninewa, Mediation, case)] == ["breached"]
    assert [row.status for row in rows_of(ninewa, Assistance, case)] == ["on_scene"]
    assert [row.state for row in rows_of(ninewa, Evidence, case)] == [EvidenceState.KEPT]
    assert len({row.id for row in rows_of(ninewa, CaseNote, case)}) == len(rows_of(duhok, CaseNote, case))


def test_a_release_is_opened_when_its_last_part_is_there(ends: Ends, tmp_path: Path) -> None:
    ninewa, duhok = ends.offices["ninewa"], ends.offices["duhok"]
    case = full(ninewa, tmp_path)
    transfer, letters = given_away(ends, case)
    assert len(letters) > 3
    for letter in reversed(letters[1:]):
        ends.deliver(letter, "ninewa", "duhok")
        assert ends.owners(case) == []
        assert ends.case("duhok", case) is None
    row = ends.row("duhok", transfer)
    assert row is not None
    assert (row.status, row.parts, row.parts_here) == (TransferStatus.RELEASED, len(letters), len(letters) - 1)
    with duhok.database.read() as session:
        waiting = session.exec(select(TransferPart)).all()
    assert len(waiting) == len(letters) - 1
    assert not any(NAME.encode() in each.sealed or b"what she told" in each.sealed for each in waiting)
    ends.deliver(letters[0], "ninewa", "duhok")
    assert ends.owners(case) == ["duhok"]
    assert rows_of_parts(duhok) == 0
    assert [row.status for row in rows_of(duhok, Referral, case)] == ["accepted", "sent"]


def rows_of_parts(office: Office) -> int:
    return life.count(office, TransferPart)


class Crash(Exception):
    """The process is killed before it commits."""


def crashing(ends: Ends, fact: Fact, origin: str, to: str) -> None:
    """Everything is done but the commit."""

    def take(session: Session) -> None:
        handlers.take_transfer(session, fact, origin=origin, now=ends.offices[to].now, post=ends.post(to))
        raise Crash

    with pytest.raises(Crash):
        ends.offices[to].run(take)


events = st.lists(
    st.tuples(st.sampled_from(["deliver", "deliver", "deliver", "crash", "again", "new key"]), st.integers(0, 99)),
    max_size=25,
)


@pytest.fixture
def quick_ends(make_sqlite_database: MakeDatabase) -> Ends:
    made = Ends(lambda: Office(make_sqlite_database("case")))
    made.part_bytes = 700
    return made


def test_whatever_happens_to_the_parts_there_is_one_owner_and_one_count(quick_ends: Ends) -> None:
    ends = quick_ends

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(events)
    def search(sequence: list[tuple[str, int]]) -> None:
        ninewa = ends.offices["ninewa"]
        ends.begun = {node: life.count(office, OutboxRow) for node, office in ends.offices.items()}
        case = ninewa.at_work(parties=[life.WOMAN], narrative="what she told")
        texts = [f"{number} {noise(number)}" for number in range(4)]
        for text in texts:
            ninewa.note(case, text=text)
        ninewa.refer(case)
        transfer, _ = given_away(ends, case)
        for what, which in sequence:
            _happens(ends, transfer, what, which)
            assert len(ends.owners(case)) <= 1
        _settle(ends, transfer)
        assert ends.owners(case) == ["duhok"]
        assert [row.counted for node in ends.offices if (row := ends.case(node, case))] == [True, False]
        assert _texts(ends.offices["duhok"], case) >= set(texts)
        assert len(rows_of(ends.offices["duhok"], Referral, case)) == 1
        here = ends.case("ninewa", case)
        assert here is not None
        assert here.status is CaseStatus.TRANSFERRED_OUT

    search()
    for node in ends.offices:
        told = [fact.type for fact in ends.offices[node].facts() if fact.kind == "case"]
        assert told.count("case.handed_over.v1") == told.count("case.released.v1")
    assert rows_of_parts(ends.offices["duhok"]) == 0


def _letters(ends: Ends, transfer: Transfer) -> list[tuple[Fact, str, str]]:
    return [
        (fact, origin, to)
        for origin, to in (("ninewa", "duhok"), ("duhok", "ninewa"))
        for fact in ends.letters(origin, to)
        if fact.subject == transfer.id
    ]


def _happens(ends: Ends, transfer: Transfer, what: str, which: int) -> None:
    if what == "again":
        try:
            ends.release_again(transfer)
        except MoveRefused:
            row = ends.row("ninewa", transfer)
            assert row is not None
            assert row.status is TransferStatus.ACKNOWLEDGED
        return
    if what == "new key":
        ends.change_key("duhok")
        return
    letters = _letters(ends, transfer)
    fact, origin, to = letters[which % len(letters)]
    try:
        crashing(ends, fact, origin, to) if what == "crash" else ends.deliver(fact, origin, to)
    except CannotOpen:
        assert ends.case("duhok", transfer_case(ends, transfer)) is None


def transfer_case(ends: Ends, transfer: Transfer) -> CaseRecord:
    with ends.offices["ninewa"].database.read() as session:
        return session.get_one(CaseRecord, transfer.case_id)


def _settle(ends: Ends, transfer: Transfer) -> None:
    """Everybody reads everything; whoever cannot is sent it once more."""
    row = ends.row("ninewa", transfer)
    assert row is not None
    if row.status is TransferStatus.RELEASED:
        ends.release_again(transfer)
    before = -1
    while (now := ends.told()) != before:
        before = now
        for fact, origin, to in _letters(ends, transfer):
            try:
                ends.deliver(fact, origin, to)
            except CannotOpen:
                continue


def _texts(office: Office, case: CaseRecord) -> set[str]:
    there = office.row(case)
    office.triage(there, by=THERE)
    office.assign(there, to=WORKER_THERE, by=THERE)
    return {note.text for note in office.notes(there, WORKER_THERE, limit=200)}


def test_what_cannot_be_opened_is_taken_once_the_old_key_is_back(quick_ends: Ends, tmp_path: Path) -> None:
    ends = quick_ends
    case = full(ends.offices["ninewa"], tmp_path)
    _, letters = given_away(ends, case)
    old = ends.keys["duhok"]
    ends.deliver(letters[0], "ninewa", "duhok")
    ends.keys["duhok"] = OpeningKey.new()
    for letter in letters[1:]:
        with pytest.raises(CannotOpen):
            ends.deliver(letter, "ninewa", "duhok")
    assert ends.owners(case) == []
    ends.keys["duhok"] = old
    ends.exchange()
    assert ends.owners(case) == ["duhok"]


def test_the_sender_releases_again_under_the_new_key_and_one_of_the_two_is_taken(
    quick_ends: Ends, tmp_path: Path
) -> None:
    ends = quick_ends
    case = full(ends.offices["ninewa"], tmp_path)
    transfer, letters = given_away(ends, case)
    old = ends.change_key("duhok")
    again = ends.release_again(transfer, by=SECOND)
    assert again.status is TransferStatus.RELEASED
    assert ends.owners(case) == []
    fresh = [fact for fact in ends.letters("ninewa", "duhok") if fact.type == letters[0].type][len(letters) :]
    for fact in fresh:
        ends.deliver(fact, "ninewa", "duhok")
    assert ends.owners(case) == ["duhok"]
    ends.change_key("duhok", old)
    ends.exchange()
    assert ends.owners(case) == ["duhok"]
    told = [fact.type for fact in ends.offices["duhok"].facts()]
    assert told.count("case.taken_over.v1") == told.count("transfer.received.v1") == 1
    with pytest.raises(MoveRefused):
        ends.release_again(transfer)
    assert (SECOND.id, "release_again", case.id, "allowed", transfer.number) in ends.offices["ninewa"].audited()


def test_nobody_releases_again_what_was_not_released_or_what_they_proposed(quick_ends: Ends) -> None:
    ends = quick_ends
    case = ends.offices["ninewa"].at_work(parties=[life.WOMAN])
    transfer = ends.propose(case, by=SUPERVISOR)
    with pytest.raises(OwnAct):
        ends.release_again(transfer)
    ends.send(transfer, by=SECOND)
    with pytest.raises(MoveRefused):
        ends.release_again(transfer, by=SECOND)


def test_a_case_that_is_walled_meanwhile_is_neither_sent_nor_released(quick_ends: Ends) -> None:
    ends = quick_ends
    ninewa = ends.offices["ninewa"]
    case = ninewa.at_work(parties=[life.WOMAN])
    proposed = ends.propose(case)
    life.name_staff(ninewa, case, staff_account="account-somebody", post="officer")
    with pytest.raises(TransferNotFound):
        ends.send(proposed, by=SECOND)
    with pytest.raises(NotTransferable, match="conflict wall"):
        ends.send(proposed, by=INSPECTOR)
    assert ends.letters("ninewa", "duhok") == []
    with ninewa.database.read() as session:
        assert handlers.list_transfers(session, TransferQuery().load({}), by=SUPERVISOR).items == []
    other = ninewa.at_work(parties=[life.WOMAN])
    accepted = ends.accepted(other)
    life.name_staff(ninewa, other, staff_account="account-somebody", post="officer")
    with pytest.raises(NotTransferable, match="conflict wall"):
        ends.release(accepted, by=INSPECTOR)
    assert ends.owners(other) == ["ninewa"]


def test_a_picture_of_the_register_is_not_in_the_release(quick_ends: Ends, tmp_path: Path) -> None:
    ends = quick_ends
    case = full(ends.offices["ninewa"], tmp_path)
    _, letters = given_away(ends, case)
    opened = b"".join(parts.read(post.read(fact, origin="ninewa", post=ends.post("duhok")))[1] for fact in letters)
    whole = content.unpack(opened)
    (evidence,) = whole.beside["evidence"]
    assert evidence["hidden"]["title"]
    assert PICTURE not in msgspec.json.encode(whole)
    assert evidence["state"] == "elsewhere"
