"""Files of a case follow it by hand, opened by the node that it went to and by nobody else."""

import io
from pathlib import Path
from typing import Any

import pytest

from contracts.case import RevokeTransfer
from contracts.case.evidence import EvidenceState
from kernel.crypto import CannotOpen, OpeningKey
from kernel.errors import BadInput, MoveRefused
from kernel.identity import Actor
from services.case import handlers
from services.case.evidence_archive import MAGIC, ArchiveCut, NotAnArchive, read_header
from services.case.handlers.evidence_by_hand import TakenIn, Written
from services.case.refusals import TransferNotFound
from services.case.tables import CaseRecord, Evidence, Transfer
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import SUPERVISOR, Office
from tests.services.case.test_evidence import PICTURE, kept, read
from tests.services.case.test_transfers import THERE, WORKER_THERE, Ends
from tests.services.case.test_whole_transfer import rows_of

OPERATOR = Actor(id="shell:root", name="root", roles=frozenset({"operator"}), node="ninewa")


class Hands:
    """Two ends, where the files of each lie, and what is carried between them."""

    def __init__(self, ends: Ends, directory: Path) -> None:
        self.ends = ends
        self.directories = {node: directory / node for node in ends.offices}
        ninewa = ends.offices["ninewa"]
        self.case: CaseRecord = ninewa.at_work(parties=[life.WOMAN])
        self.evidence = [kept(ninewa, self.directories["ninewa"], self.case) for _ in range(2)]

    def written(self, number: str, node: str = "ninewa") -> tuple[bytes, Written]:
        out = io.BytesIO()
        done = handlers.export_evidence(self.ends.offices[node].database, out, number, **self._here(node))
        return out.getvalue(), done

    def taken(self, archive: bytes, node: str = "duhok") -> TakenIn:
        database = self.ends.offices[node].database
        return handlers.import_evidence(database, io.BytesIO(archive), **self._here(node))

    def _here(self, node: str) -> dict[str, Any]:
        now, post = self.ends.offices[node].now, self.ends.post(node)
        return {"by": OPERATOR, "now": now, "post": post, "directory": self.directories[node]}

    def states(self, node: str = "duhok") -> list[EvidenceState]:
        return [row.state for row in rows_of(self.ends.offices[node], Evidence, self.case)]


@pytest.fixture
def hands(make_sqlite_database: MakeDatabase, tmp_path: Path) -> Hands:
    return Hands(Ends(lambda: Office(make_sqlite_database("case"))), tmp_path)


def moved(hands: Hands) -> Transfer:
    transfer = hands.ends.moved(hands.case)
    duhok = hands.ends.offices["duhok"]
    there = duhok.row(hands.case)
    duhok.triage(there, by=THERE)
    duhok.assign(there, to=WORKER_THERE, by=THERE)
    return transfer


def test_files_are_read_at_the_receiver_after_they_were_carried_there(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    hands = Hands(Ends(lambda: Office(make_database("case"))), tmp_path)
    transfer = moved(hands)
    duhok, directory = hands.ends.offices["duhok"], hands.directories["duhok"]
    assert hands.states() == [EvidenceState.ELSEWHERE] * 2
    archive, written = hands.written(transfer.number)
    assert (written.files, written.elsewhere, written.receiver) == (2, 0, "duhok")
    assert b"a face at the window" not in archive
    done = hands.taken(archive)
    assert (done.files, done.before, done.refused) == (2, 0, 0)
    shown = read(duhok, directory, hands.evidence[0], by=WORKER_THERE)
    assert shown["title"] == "the window"
    assert hands.taken(archive).before == 2
    actions = [line[1] for node in ("ninewa", "duhok") for line in hands.ends.offices[node].audited()]
    assert {"export_evidence", "import_evidence"} <= set(actions)
    for file in directory.rglob("*"):
        assert not file.is_file() or b"a face at the window" not in file.read_bytes()


def test_an_archive_that_was_cut_off_gives_its_whole_files_and_the_rest_later(hands: Hands) -> None:
    archive, _ = hands.written(moved(hands).number)
    with pytest.raises(ArchiveCut):
        hands.taken(archive[: len(archive) - len(PICTURE) // 2])
    assert sorted(hands.states()) == [EvidenceState.ELSEWHERE, EvidenceState.KEPT]
    done = hands.taken(archive)
    assert (done.files, done.before) == (1, 1)


def test_only_the_receiver_opens_an_archive_and_only_of_a_released_case(hands: Hands) -> None:
    proposed = hands.ends.propose(hands.case)
    with pytest.raises(MoveRefused):
        hands.written(proposed.number)
    with pytest.raises(TransferNotFound):
        hands.written("T-NI-2026-999999-K")
    hands.ends.do("ninewa", handlers.revoke_transfer, RevokeTransfer, SUPERVISOR, transfer_id=proposed.id)
    archive, _ = hands.written(moved(hands).number)
    with pytest.raises(BadInput, match="for duhok"):
        hands.taken(archive, "ninewa")
    hands.ends.keys["duhok"] = OpeningKey.new()
    with pytest.raises(CannotOpen):
        hands.taken(archive)


def test_evidence_does_not_come_before_its_case(hands: Hands) -> None:
    transfer = hands.ends.accepted(hands.case)
    hands.ends.release(transfer)
    archive, _ = hands.written(transfer.number)
    with pytest.raises(MoveRefused, match="not here yet"):
        hands.taken(archive)


def test_a_file_that_is_not_what_the_register_says_is_refused(hands: Hands) -> None:
    transfer = moved(hands)
    ninewa = hands.ends.offices["ninewa"]
    ninewa.execute(f"UPDATE evidence SET size = size - 1 WHERE id = '{hands.evidence[0]}'")  # noqa: S608 - an id of ours
    duhok = hands.ends.offices["duhok"]
    duhok.execute(f"UPDATE evidence SET size = size - 1 WHERE id = '{hands.evidence[0]}'")  # noqa: S608
    done = hands.taken(hands.written(transfer.number)[0])
    assert (done.files, done.refused) == (1, 1)
    assert sorted(hands.states()) == [EvidenceState.ELSEWHERE, EvidenceState.KEPT]


@pytest.mark.parametrize("what", [b"", b"PK\x03\x04", MAGIC, MAGIC + b"\x00\x00\x00\x02{}", MAGIC + b"\xff" * 50])
def test_what_is_no_archive_is_refused(what: bytes) -> None:
    with pytest.raises((NotAnArchive, ArchiveCut)):
        read_header(io.BytesIO(what))
