"""Evidence: sent in parts, what it says, sealed on disk, each view noted."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from contracts.case.evidence import PART_BYTES, AddPart, BeginEvidence, EvidenceQuery, MediaType, ReadEvidence
from kernel.errors import MoveRefused
from kernel.identity import Actor
from services.case import evidence_store, handlers
from services.case.evidence_store import EvidenceGone, is_what_it_says
from services.case.handlers.evidence import AnotherPart, EvidenceNotFound, EvidenceTooLarge, NotWhatItSays
from services.case.refusals import CaseNotFound, GlassNeeded, NotTheHandler, ReasonNeeded
from services.case.tables import CaseRecord
from tests.services.case.office import DIRECTOR, HANDLER, INTAKE, OFFICER, REASON, SUPERVISOR, Office

UNKNOWN = "0198c3a0-0000-7000-8000-000000000000"
PICTURE = b"\xff\xd8\xff\xe0" + b"a face at the window" * 50_000  # two parts
BEGINNINGS = {
    MediaType.JPEG: b"\xff\xd8\xff\xe1....",
    MediaType.PNG: b"\x89PNG\r\n\x1a\n....",
    MediaType.WEBP: b"RIFF....WEBPVP8 ",
    MediaType.PDF: b"%PDF-1.7",
    MediaType.MP4: b"\x00\x00\x00\x18ftypisom....",
    MediaType.THREE_GP: b"\x00\x00\x00\x18ftyp3gp4....",
    MediaType.M4A: b"\x00\x00\x00\x18ftypM4A ....",
    MediaType.MP3: b"ID3\x04....",
    MediaType.OGG: b"OggS....",
    MediaType.AMR: b"#!AMR\n",
    MediaType.WAV: b"RIFF....WAVEfmt ",
}
NOTHING_OF_THESE = [b"", b"MZ\x90\x00", b"\x7fELF", b"PK\x03\x04", b"<html>", b"#!/bin/sh", b"GIF89a", b"RIFF....AVI "]


def begin(office: Office, case: CaseRecord, content: bytes = PICTURE, by: Actor = HANDLER, **values: Any) -> str:
    said = {"media_type": "image/jpeg", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    row = office.do(handlers.begin_evidence, BeginEvidence, by, case_id=case.id, **{**said, **values})
    evidence_id: str = row["id"]
    return evidence_id


def send(office: Office, directory: Path, evidence_id: str, part: int, content: bytes) -> dict[str, Any]:
    values = {"evidence_id": evidence_id, "part": part, "content": base64.b64encode(content).decode()}
    with office.database.write() as session:
        shown: dict[str, Any] = handlers.add_part(session, AddPart().load(values), by=HANDLER, directory=directory)
    return shown


def kept(office: Office, directory: Path, case: CaseRecord, content: bytes = PICTURE) -> str:
    evidence_id = begin(office, case, content, title="the window")
    for part in range(-(-len(content) // PART_BYTES)):
        shown = send(office, directory, evidence_id, part, content[part * PART_BYTES : (part + 1) * PART_BYTES])
    assert shown["state"] == "kept"
    return evidence_id


def read(office: Office, directory: Path, evidence_id: str, by: Actor = HANDLER, **values: Any) -> dict[str, Any]:
    asked = ReadEvidence().load({"evidence_id": evidence_id, "part": 0, **values})
    with office.database.write() as session:
        shown: dict[str, Any] = handlers.read_evidence(session, asked, by=by, now=office.now, directory=directory)
    return shown


@pytest.mark.parametrize("media_type", MediaType)
def test_a_file_is_what_it_begins_like(media_type: MediaType) -> None:
    assert is_what_it_says(media_type, BEGINNINGS[media_type])
    assert not any(is_what_it_says(media_type, wrong) for wrong in NOTHING_OF_THESE)


def test_a_file_in_parts_is_read_as_it_was_sent(office: Office, tmp_path: Path) -> None:
    case = office.at_work()
    evidence_id = kept(office, tmp_path, case)
    parts = [read(office, tmp_path, evidence_id, part=part) for part in range(2)]
    assert b"".join(base64.b64decode(part["content"]) for part in parts) == PICTURE
    assert (parts[0]["title"], parts[0]["sha256"]) == ("the window", hashlib.sha256(PICTURE).hexdigest())
    assert [line[1:3] for line in office.audited()] == [("read_evidence", evidence_id)] * 2


def test_what_lies_on_disk_is_sealed_and_named_by_itself(office: Office, tmp_path: Path) -> None:
    case = office.at_work()
    kept(office, tmp_path, case)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert b"a face" not in path.read_bytes()
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        assert path.stat().st_mode & 0o077 == 0
    assert office.run(lambda session: list(evidence_store.damaged(session, tmp_path))) == []


def test_evidence_that_is_not_what_it_says_is_refused(office: Office, tmp_path: Path) -> None:
    case = office.at_work()
    with pytest.raises(NotWhatItSays):
        send(office, tmp_path, begin(office, case, b"MZ" + PICTURE[2:]), 0, (b"MZ" + PICTURE[2:])[:PART_BYTES])
    other = begin(office, case, sha256="0" * 64)
    send(office, tmp_path, other, 0, PICTURE[:PART_BYTES])
    assert send(office, tmp_path, other, 1, PICTURE[PART_BYTES:])["state"] == "refused"
    with pytest.raises(EvidenceNotFound):
        read(office, tmp_path, other)


def test_a_part_that_is_sent_again_is_not_taken_twice_and_one_out_of_turn_is_asked_for(
    office: Office, tmp_path: Path
) -> None:
    evidence_id = begin(office, office.at_work())
    with pytest.raises(AnotherPart) as early:
        send(office, tmp_path, evidence_id, 1, PICTURE[PART_BYTES:])
    assert early.value.details == {"wanted": 0, "size": PART_BYTES}
    first = send(office, tmp_path, evidence_id, 0, PICTURE[:PART_BYTES])
    assert send(office, tmp_path, evidence_id, 0, PICTURE[:PART_BYTES]) == first
    with pytest.raises(AnotherPart):
        send(office, tmp_path, evidence_id, 1, PICTURE[PART_BYTES:] + b"and more")
    last = send(office, tmp_path, evidence_id, 1, PICTURE[PART_BYTES:])
    assert last == send(office, tmp_path, evidence_id, 1, PICTURE[PART_BYTES:])


@pytest.mark.parametrize(
    "wrong", [{"media_type": "application/x-msdownload"}, {"size": 0}, {"size": 2**40}, {"sha256": "x"}]
)
def test_what_is_announced_is_bounded(wrong: dict[str, Any]) -> None:
    said = {
        "case_id": "0198c3a0-0000-7000-8000-000000000000",
        "media_type": "image/jpeg",
        "size": 5,
        "sha256": "0" * 64,
    }
    assert not BeginEvidence().validate(said)
    assert set(BeginEvidence().validate({**said, **wrong})) == set(wrong)


@pytest.mark.parametrize("content", ["", "not base64!", base64.b64encode(b"x" * (PART_BYTES + 1)).decode()])
def test_a_part_is_bounded(content: str) -> None:
    values = {"evidence_id": UNKNOWN, "part": 0, "content": content}
    assert set(AddPart().validate(values)) == {"content"}


def test_a_file_larger_than_the_rules_say_is_refused_before_anything_is_sent(office: Office) -> None:
    with pytest.raises(EvidenceTooLarge):
        begin(office, office.at_work(), size=33 * 1024 * 1024)


def test_evidence_is_read_by_who_may_read_identity(office: Office, tmp_path: Path) -> None:
    case = office.at_work()
    evidence_id = kept(office, tmp_path, case, PICTURE[:100])
    with pytest.raises(ReasonNeeded):
        read(office, tmp_path, evidence_id, SUPERVISOR)
    assert read(office, tmp_path, evidence_id, SUPERVISOR, reason=REASON)["part"] == 0
    with pytest.raises(GlassNeeded):
        read(office, tmp_path, evidence_id, DIRECTOR, reason=REASON)
    with pytest.raises(CaseNotFound):
        read(office, tmp_path, evidence_id, OFFICER)
    listed = office.do(handlers.list_evidence, EvidenceQuery, DIRECTOR, case_id=case.id).items
    assert [set(each) & {"title", "sha256"} for each in listed] == [set()]


def test_evidence_is_added_by_its_own_people_while_the_case_is_open(office: Office) -> None:
    case = office.open()
    assert begin(office, case, by=INTAKE)
    with pytest.raises(NotTheHandler):
        begin(office, case, by=DIRECTOR)
    with pytest.raises(CaseNotFound):
        begin(office, case, by=OFFICER)
    ended = office.proposed()
    office.close(ended)
    with pytest.raises(MoveRefused):
        begin(office, ended)


def test_a_file_that_was_altered_or_lost_is_named(office: Office, tmp_path: Path) -> None:
    evidence_id = kept(office, tmp_path, office.at_work())
    one, other = (path for path in tmp_path.rglob("*") if path.is_file())
    one.write_bytes(b"x")
    other.unlink()
    assert office.run(lambda session: list(evidence_store.damaged(session, tmp_path))) == [
        (evidence_id, 0),
        (evidence_id, 1),
    ]
    with pytest.raises(EvidenceGone):
        read(office, tmp_path, evidence_id)


def test_what_no_row_names_is_swept_away_a_day_later_and_nothing_else(office: Office, tmp_path: Path) -> None:
    case = office.at_work()
    evidence_id = kept(office, tmp_path, case)
    evidence_store.put(tmp_path, b"a transaction that was rolled back")
    later = (tmp_path.stat().st_mtime) + 2 * evidence_store.SWEPT_AFTER_SECONDS
    assert office.run(lambda session: evidence_store.sweep(session, tmp_path)) == 0
    assert office.run(lambda session: evidence_store.sweep(session, tmp_path, now=later)) == 1
    assert read(office, tmp_path, evidence_id)["part"] == 0

    def erase(session: Any) -> None:
        row = session.get_one(CaseRecord, case.id)
        handlers.erase_identity(session, row, by=SUPERVISOR, reason=REASON, now=office.now)

    office.run(erase)
    with pytest.raises(EvidenceNotFound):
        read(office, tmp_path, evidence_id)
    assert office.run(lambda session: evidence_store.sweep(session, tmp_path, now=later)) == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_never_became_whole_is_forgotten_after_a_week(office: Office, tmp_path: Path) -> None:
    evidence_id = begin(office, office.at_work())
    send(office, tmp_path, evidence_id, 0, PICTURE[:PART_BYTES])
    assert office.run(lambda session: handlers.drop_unfinished(session, now=office.now)) == 0
    office.wait(days=8)
    assert office.run(lambda session: handlers.drop_unfinished(session, now=office.now)) == 1
    assert send(office, tmp_path, evidence_id, 1, PICTURE[PART_BYTES:])["state"] == "refused"


def test_no_fact_tells_of_evidence(office: Office, tmp_path: Path) -> None:
    case = office.at_work()
    before = len(office.facts())
    kept(office, tmp_path, case)
    assert len(office.facts()) == before
