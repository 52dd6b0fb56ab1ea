"""A case goes to another governorate: previewed, accepted, released sealed, taken in, and perhaps back again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from marshmallow import Schema
from sqlmodel import Session, select

from contracts import case as contract
from contracts.case import CaseStatus
from contracts.case.transfers import Side, TransferStatus
from contracts.roles import Role
from contracts.rules import CaseRules
from kernel.crypto import CannotOpen, OpeningKey
from kernel.errors import BadInput, MoveRefused
from kernel.fact import Fact, canonical
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.outbox import OutboxRow
from services.case import arriving, handlers
from services.case.handlers import letters
from services.case.handlers.letters import Post
from services.case.refusals import NotATarget, NotTransferable, OwnAct, TransferNotFound, TransferOpen
from services.case.tables import CaseRecord, Transfer
from services.case.transfer.parts import PART_BYTES
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import HANDLER, ISO, SUPERVISOR, Office, person

NAME = "Zaynab Ahmad of the third lane"
AFFECTED = {"role": "affected", "name": NAME, "sex": "female", "age": 30, "phone": "07701112223"}
SECOND = person("second-supervisor", Role.UNIT_SUPERVISOR)
THERE = person("there", Role.UNIT_SUPERVISOR, unit="duhok-1")
WORKER_THERE = person("worker-there", Role.CASE_WORKER, unit="duhok-1")
FAR = frozenset({"ninewa", "duhok", "erbil"})


class Ends:
    """Ninewa and Duhok, with a journal between them that may be read in any order, any number of times."""

    def __init__(self, make: Callable[[], Office]) -> None:
        self.offices = {"ninewa": make(), "duhok": make()}
        self.keys = {node: OpeningKey.new() for node in FAR}
        self.former: dict[str, list[OpeningKey]] = {node: [] for node in FAR}
        self.part_bytes = PART_BYTES
        self.begun: dict[str, int] = {}  # letters before this are long read

    def post(self, node: str) -> Post:
        return Post(
            node,
            FAR,
            lambda other: self.keys[other].sealing_key,
            lambda _: self.keys[node],
            CaseRules(),
            part_bytes=self.part_bytes,
            formerly=lambda other: [key.sealing_key for key in self.former[other]],
        )

    def change_key(self, node: str, key: OpeningKey | None = None) -> OpeningKey:
        """A node has another key, and everybody the public half; the one until now, which is returned, is kept."""
        former = self.keys[node]
        self.former[node].append(former)
        self.keys[node] = key or OpeningKey.new()
        return former

    def do(self, node: str, use_case: Callable[..., Any], shape: type[Schema], by: Actor, **values: Any) -> Any:
        office = self.offices[node]
        more = {"iso": ISO} if use_case is handlers.propose_transfer else {}
        with office.database.write() as session:
            return use_case(session, shape().load(values), by=by, now=office.now, post=self.post(node), **more)

    def propose(self, case: CaseRecord, node: str = "ninewa", to: str = "duhok", by: Actor = HANDLER) -> Transfer:
        values = {"case_id": case.id, "to": to, "consent": "given", "text": "she fled there"}
        return self.do(node, handlers.propose_transfer, contract.ProposeTransfer, by, **values)

    def send(self, transfer: Transfer, node: str = "ninewa", by: Actor = SUPERVISOR) -> Transfer:
        return self.do(node, handlers.send_transfer, contract.SendTransfer, by, transfer_id=transfer.id)

    def release(self, transfer: Transfer, node: str = "ninewa", by: Actor = SUPERVISOR) -> Transfer:
        return self.do(node, handlers.release_transfer, contract.ReleaseTransfer, by, transfer_id=transfer.id)

    def release_again(self, transfer: Transfer, node: str = "ninewa", by: Actor = SUPERVISOR) -> Transfer:
        return self.do(node, handlers.release_again, contract.ReleaseAgain, by, transfer_id=transfer.id)

    def accept(self, transfer: Transfer, node: str = "duhok", by: Actor = THERE) -> Transfer:
        return self.do(node, handlers.accept_transfer, contract.AcceptTransfer, by, transfer_id=transfer.id)

    def deliver(self, fact: Fact, origin: str, to: str) -> None:
        office = self.offices[to]

        def take(session: Session, fact: Fact, origin: str) -> None:
            handlers.take_transfer(session, fact, origin=origin, now=office.now, post=self.post(to))

        with office.database.write() as session:
            arriving.take_once(session, fact, origin, {"transfer": take})

    def letters(self, origin: str, to: str) -> list[Fact]:
        facts = self.offices[origin].facts(after=self.begun.get(origin, 0))
        return [fact for fact in facts if fact.kind == "transfer" and to in fact.audience]

    def told(self) -> int:
        """How many facts there are."""
        return sum(life.count(office, OutboxRow) for office in self.offices.values())

    def exchange(self) -> None:
        """Everybody reads everything, until nobody has anything new to say."""
        while True:
            before = self.told()
            for origin, to in (("ninewa", "duhok"), ("duhok", "ninewa")):
                for fact in self.letters(origin, to):
                    self.deliver(fact, origin, to)
            if self.told() == before:
                return

    def row(self, node: str, transfer: Transfer) -> Transfer | None:
        with self.offices[node].database.read() as session:
            return session.get(Transfer, transfer.id)

    def case(self, node: str, case: CaseRecord) -> CaseRecord | None:
        with self.offices[node].database.read() as session:
            return session.get(CaseRecord, case.id)

    def owners(self, case: CaseRecord) -> list[str]:
        rows = {node: self.case(node, case) for node in self.offices}
        return [node for node, row in rows.items() if row is not None and row.owned]

    def accepted(self, case: CaseRecord, node: str = "ninewa", to: str = "duhok", **people: Actor) -> Transfer:
        """Offered and accepted, ready to be released."""
        transfer = self.send(
            self.propose(case, node, to, by=people.get("handler", HANDLER)), node, people.get("by", SUPERVISOR)
        )
        self.exchange()
        self.accept(transfer, to, by=people.get("there", THERE))
        self.exchange()
        return transfer

    def moved(self, case: CaseRecord) -> Transfer:
        """The whole way from Ninewa to Duhok."""
        transfer = self.accepted(case)
        self.release(transfer)
        self.exchange()
        return transfer


@pytest.fixture
def ends(make_database: MakeDatabase) -> Ends:
    return Ends(lambda: Office(make_database("case")))


def opened(ends: Ends, **values: Any) -> CaseRecord:
    ninewa = ends.offices["ninewa"]
    case = ninewa.at_work(parties=[AFFECTED], narrative="what she told", **values)
    ninewa.note(case, text="she is afraid")
    return ninewa.row(case)


def test_a_case_moves_whole_with_its_person_and_the_count_stays(ends: Ends) -> None:
    case = opened(ends)
    transfer = ends.moved(case)
    here, there = ends.case("ninewa", case), ends.case("duhok", case)
    assert here is not None
    assert there is not None
    assert (here.status, here.owned, here.owner_epoch, here.counted) == (CaseStatus.TRANSFERRED_OUT, False, 2, True)
    assert (there.status, there.owned, there.owner_epoch, there.counted) == (CaseStatus.RECEIVED, True, 2, False)
    assert (there.number, there.recording_class, there.unit) == (case.number, case.recording_class, "duhok-1")
    for node, side in (("ninewa", Side.SENDER), ("duhok", Side.RECEIVER)):
        row = ends.row(node, transfer)
        assert row is not None
        assert (row.side, row.status) == (side, TransferStatus.ACKNOWLEDGED)
    duhok = ends.offices["duhok"]
    duhok.triage(there, by=THERE)
    duhok.assign(there, to=WORKER_THERE, by=THERE)
    identity = duhok.get(there, WORKER_THERE).identity
    assert identity is not None
    assert identity.narrative == "what she told"
    assert [(party.name, party.phone) for party in identity.parties] == [(NAME, "07701112223")]
    assert "she is afraid" in [note.text for note in duhok.notes(there, WORKER_THERE)]
    counted = [
        fact.statistical_values()["counted"]
        for node in ends.offices
        for fact in ends.offices[node].facts()
        if fact.type in ("case.handed_over.v1", "case.taken_over.v1")
    ]
    assert sorted(counted) == [False, True]


def test_the_sender_reads_and_changes_nothing_once_it_is_released(ends: Ends) -> None:
    case = opened(ends)
    transfer = ends.send(ends.propose(case))
    ends.exchange()
    ends.accept(transfer)
    ends.exchange()
    ninewa = ends.offices["ninewa"]
    ninewa.note(case, text="still ours")
    ends.release(transfer)
    assert ends.owners(case) == []
    for change in (lambda: ninewa.note(case), lambda: ninewa.propose(case), lambda: ninewa.refer(case)):
        with pytest.raises(MoveRefused):
            change()
    with pytest.raises(MoveRefused):
        ends.do("ninewa", handlers.revoke_transfer, contract.RevokeTransfer, SUPERVISOR, transfer_id=transfer.id)
    ends.exchange()
    assert ends.owners(case) == ["duhok"]


def test_nothing_on_the_way_names_anybody_and_only_the_receiver_opens_it(
    ends: Ends, make_database: MakeDatabase
) -> None:
    ends.moved(opened(ends, category="domestic_abuse"))
    letters = [*ends.letters("ninewa", "duhok"), *ends.letters("duhok", "ninewa")]
    assert [fact.type.split(".")[1] for fact in ends.letters("ninewa", "duhok")] == [
        "offered",
        "released",
        "acknowledged",
    ]
    for fact in letters:
        whole = fact.head + fact.statistical + fact.operational + fact.sealed
        assert not any(word in whole for word in (NAME.encode(), b"07701112223", b"afraid", b"domestic", b"protection"))
        assert set(fact.statistical_values()) == {"month"}
    released = ends.letters("ninewa", "duhok")[1]
    fresh = Ends(lambda: Office(make_database("case")))
    with pytest.raises(CannotOpen):
        fresh.deliver(released, "ninewa", "duhok")


@pytest.mark.parametrize("event", ["offered", "released", "acknowledged", "accepted", "received"])
def test_a_letter_that_a_directorate_wrote_or_put_together_is_not_believed(ends: Ends, event: str) -> None:
    ends.moved(opened(ends))
    to, origin = ("ninewa", "duhok") if event in ("accepted", "received") else ("duhok", "ninewa")
    (true,) = [fact for fact in ends.letters(origin, to) if fact.type == f"transfer.{event}.v1"]
    content = letters.read(true, origin=origin, post=ends.post(to))
    stranger = replace(ends.post(origin), opening=lambda _: OpeningKey.new())
    for fact in (_changed(true, id=new_id()), _changed(true, id=new_id(), version=9), replace(true, sealed=b"")):
        with pytest.raises(CannotOpen):
            letters.read(fact, origin=origin, post=ends.post(to))
    forged = letters.sealed(_changed(true, id=new_id()), content, to=to, post=stranger)
    told = ends.told()
    with pytest.raises(CannotOpen):
        ends.deliver(forged, origin, to)
    assert ends.told() == told


def _changed(fact: Fact, **values: Any) -> Fact:
    return replace(fact, head=canonical({**msgspec.json.decode(fact.head), **values}))


def test_whatever_comes_twice_late_or_in_another_order_ends_the_same(ends: Ends) -> None:
    case = opened(ends)
    transfer = ends.send(ends.propose(case))
    ends.exchange()
    ends.accept(transfer)
    ends.exchange()
    ends.release(transfer)
    for fact in reversed(ends.letters("ninewa", "duhok")):
        for _ in range(2):
            ends.deliver(fact, "ninewa", "duhok")
        assert len(ends.owners(case)) <= 1
    ends.exchange()
    assert ends.owners(case) == ["duhok"]
    assert len([fact for fact in ends.offices["duhok"].facts() if fact.type == "case.taken_over.v1"]) == 1


def test_a_case_comes_back_with_what_was_written_there(ends: Ends) -> None:
    case = opened(ends)
    ends.moved(case)
    duhok, ninewa = ends.offices["duhok"], ends.offices["ninewa"]
    there = duhok.row(case)
    duhok.triage(there, by=THERE)
    duhok.assign(there, to=WORKER_THERE, by=THERE)
    duhok.start(there, by=WORKER_THERE)
    duhok.note(there, by=WORKER_THERE, text="she wants to go home")
    back = ends.send(ends.propose(there, "duhok", "ninewa", by=WORKER_THERE), "duhok", by=THERE)
    ends.exchange()
    ends.accept(back, "ninewa", by=SUPERVISOR)
    ends.exchange()
    ends.release(back, "duhok", by=THERE)
    ends.exchange()
    assert ends.owners(case) == ["ninewa"]
    home = ends.case("ninewa", case)
    assert home is not None
    assert (home.status, home.owner_epoch, home.counted) == (CaseStatus.RECEIVED, 3, True)
    ninewa.triage(home)
    ninewa.assign(home, fits_preference=True)
    assert "she wants to go home" in [note.text for note in ninewa.notes(home, HANDLER)]


def test_a_refused_a_revoked_and_an_expired_offer_leave_the_case_where_it_is(ends: Ends) -> None:
    case = opened(ends)
    ninewa = ends.offices["ninewa"]
    refused = ends.send(ends.propose(case))
    with pytest.raises(TransferOpen):
        ends.propose(case)
    ends.exchange()
    ends.do(
        "duhok", handlers.reject_transfer, contract.RejectTransfer, THERE, transfer_id=refused.id, reason="no_capacity"
    )
    ends.exchange()
    revoked = ends.send(ends.propose(case))
    ends.do("ninewa", handlers.revoke_transfer, contract.RevokeTransfer, SUPERVISOR, transfer_id=revoked.id)
    late = ends.send(ends.propose(case))
    ninewa.wait(days=14)
    with ninewa.database.write() as session:
        assert handlers.expire_transfers(session, now=ninewa.now, post=ends.post("ninewa")) == 1
    ends.exchange()
    for transfer, status in ((refused, "rejected"), (revoked, "revoked"), (late, "expired")):
        for node in ends.offices:
            row = ends.row(node, transfer)
            assert row is not None
            assert row.status == status
    with pytest.raises(MoveRefused):
        ends.accept(late)
    assert ends.owners(case) == ["ninewa"]
    assert ends.case("duhok", case) is None


def test_a_supervisor_who_did_not_propose_it_sends_and_releases(ends: Ends) -> None:
    case = opened(ends)
    transfer = ends.propose(case, by=SUPERVISOR)
    with pytest.raises(OwnAct):
        ends.send(transfer)
    ends.send(transfer, by=SECOND)
    ends.exchange()
    ends.accept(transfer)
    ends.exchange()
    with pytest.raises(OwnAct):
        ends.release(transfer)
    stranger = person("stranger", Role.UNIT_SUPERVISOR, unit="elsewhere")
    with pytest.raises(TransferNotFound):
        ends.release(transfer, by=stranger)
    assert ends.release(transfer, by=SECOND).status is TransferStatus.RELEASED


def test_only_another_governorate_and_no_case_behind_the_wall(ends: Ends) -> None:
    case = opened(ends)
    for to in ("ninewa", "directorate-baghdad", "mars"):
        with pytest.raises(NotATarget):
            ends.propose(case, to=to)
    ninewa = ends.offices["ninewa"]
    inspector = person("inspector", Role.INSPECTORATE, unit=None)
    complaint = ninewa.open(category="complaint_against_police")
    with pytest.raises(NotTransferable):
        ends.propose(complaint, by=inspector)


def test_a_message_that_its_origin_may_not_send_is_refused(ends: Ends) -> None:
    case = opened(ends)
    transfer = ends.send(ends.propose(case))
    (offer,) = ends.letters("ninewa", "duhok")
    for origin, to in (("erbil", "duhok"), ("ninewa", "ninewa")):
        with pytest.raises(BadInput):
            ends.deliver(offer, origin, to)
    ends.exchange()
    ends.accept(transfer)
    (accepted,) = ends.letters("duhok", "ninewa")
    with pytest.raises(BadInput):
        ends.deliver(accepted, "erbil", "ninewa")


def test_the_receiver_sees_a_preview_that_names_nobody(ends: Ends) -> None:
    transfer = ends.send(ends.propose(opened(ends)))
    ends.exchange()
    with ends.offices["duhok"].database.read() as session:
        (row,) = session.exec(select(Transfer)).all()
    shown = contract.TransferView().dump(row)
    assert (shown["id"], shown["case_id"], shown["number"]) == (transfer.id, None, transfer.number)
    assert shown["preview"] == {
        "category": "neighbour_dispute",
        "current_class": "non_crime",
        "risk": "medium",
        "language": "ar",
        "interpreter": False,
        "handler_preference": "any",
        "minors": False,
        "parties": 1,
        "notes": 1,
        "reported_on": "2026-03-10",
    }
    values = contract.TransferQuery().load({})
    with ends.offices["duhok"].database.read() as session:
        listed = handlers.list_transfers(session, values, by=THERE).items
    assert [each.id for each in listed] == [transfer.id]
