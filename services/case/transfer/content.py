"""A case as bytes, whole, for the key of one node; and out of the bytes again, as rows of that node.

What goes along: how the case stands, the frozen intake, who is in it, what was told and written, what was agreed to and
how the affected person may be reached. Accounts do not: their ids mean nothing elsewhere, and who wrote a note is the
sender. Evidence files, referrals and mediations stay with the sender's read-only case; what they led to is in the
notes. Compressed before sealing, because a case of many notes has to fit one fact (`MAX_CONTENT_BYTES`).
"""

from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
import zstandard
from sqlmodel import Session, select

from contracts.case import Answer, NoteKind, PartyRole
from contracts.case.parties import ConsentState, GivenBy, Purpose
from kernel.errors import BadInput
from kernel.ids import new_id
from services.case import sealing
from services.case.handlers.consents import SEALED, last_said, readable
from services.case.handlers.parties import PLAN, contact_plan
from services.case.tables import (
    CaseConsent,
    CaseContactPlan,
    CaseIntake,
    CaseNarrative,
    CaseNote,
    CaseParty,
    CaseRecord,
)

FORM: Final = 1
MOST_UNPACKED: Final = 16 * 1024 * 1024
STANDING: Final = (
    "id", "number", "recording_class", "current_class", "category", "restricted", "risk", "channel", "district",
    "incident_from", "incident_until", "reported_at", "opened_at", "language", "interpreter", "handler_preference",
    "prior_resort", "pressure_reported", "age_band", "parties_told", "parties_by_sex", "first_contact_at", "minors",
    "reopened",
)  # fmt: skip


class ContentRefused(BadInput):
    """What was sealed to this node is not a case in any form known here."""

    code = "content_refused"


class Intake(msgspec.Struct, frozen=True):
    """The frozen intake."""

    answers: dict[str, str]
    recording_class: str
    rule_version: int
    answered_at: datetime


class Note(msgspec.Struct, frozen=True):
    """A text, and when it was written."""

    id: str
    kind: str
    text: str
    written_at: datetime


class Whole(msgspec.Struct, frozen=True):
    """A case with everything that goes along."""

    form: int
    standing: dict[str, Any]
    intake: Intake
    parties: list[dict[str, Any]]
    narrative: str | None
    place: str | None
    notes: list[Note]
    consents: list[dict[str, Any]]
    contact_plan: dict[str, Any] | None


def pack(session: Session, case: CaseRecord) -> bytes:
    """The whole case. Raises `IdentityErased`."""
    intake = session.get_one(CaseIntake, case.id)
    parties = session.exec(select(CaseParty).where(CaseParty.case_id == case.id).order_by(CaseParty.id))
    notes = session.exec(select(CaseNote).where(CaseNote.case_id == case.id).order_by(CaseNote.id))
    narrative, place = sealing.narrative(session, session.get_one(CaseNarrative, case.id))
    whole = Whole(
        form=FORM,
        standing={name: getattr(case, name) for name in STANDING},
        intake=Intake(intake.answers, intake.recording_class.value, intake.rule_version, intake.answered_at),
        parties=[sealing.party(session, row)._asdict() for row in parties],
        narrative=narrative,
        place=place,
        notes=[_note(session, row) for row in notes],
        consents=[_without_account(readable(session, said)) for said in last_said(session, case.id)],
        contact_plan=contact_plan(session, case.id),
    )
    return zstandard.ZstdCompressor(level=10).compress(msgspec.json.encode(whole))


def _note(session: Session, row: CaseNote) -> Note:
    note = sealing.note(session, row)
    return Note(note.id, note.kind.value, note.text, note.written_at)


def _without_account(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "recorded_by"}


def unpack(packed: bytes) -> Whole:
    """The case in `packed`. Raises `ContentRefused`, before anything is written."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MOST_UNPACKED)
        whole = msgspec.json.decode(raw, type=Whole)
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise ContentRefused(cause=type(error).__name__) from error
    if whole.form != FORM or set(whole.standing) < {"id", "number", "recording_class"}:
        raise ContentRefused(cause="form")
    return whole


def row_of(whole: Whole) -> dict[str, Any]:
    """The columns of `case_record` as the sender had them. Raises `ContentRefused` for what does not fit them."""
    columns = CaseRecord.__table__.columns
    values = {name: value for name, value in whole.standing.items() if name in STANDING}
    try:
        return {name: _typed(columns[name].type, value) for name, value in values.items()}
    except (ValueError, TypeError, KeyError) as error:
        raise ContentRefused(cause=type(error).__name__) from error


def _typed(kind: Any, value: Any) -> Any:
    python = getattr(kind, "enum_class", None)
    if value is None:
        return None
    if python is not None:
        return python(value)
    if type(kind).__name__ == "UtcDateTime":
        return datetime.fromisoformat(value).astimezone(UTC)
    return date.fromisoformat(value) if type(kind).__name__ == "Date" else value


def keep(session: Session, case: CaseRecord, whole: Whole, *, by: str, now: datetime) -> None:
    """Write what belongs to `case`, whose row and key are there. What is there from before is left as it is."""
    known = set(session.exec(select(CaseParty.id).where(CaseParty.case_id == case.id)))
    for party in whole.parties:
        if party["id"] not in known:
            hidden = {name: value for name, value in party.items() if name not in ("id", "role")}
            given = {**hidden, "role": PartyRole(party["role"])}
            session.add(sealing.sealed_party(session, case.id, given, party_id=party["id"]))
    session.flush()
    _keep_notes(session, case, whole, by)
    _keep_agreed(session, case, whole, by, now)


def _keep_notes(session: Session, case: CaseRecord, whole: Whole, by: str) -> None:
    known = set(session.exec(select(CaseNote.id).where(CaseNote.case_id == case.id)))
    for note in whole.notes:
        if note.id not in known:
            sealed = sealing.seal(session, case.id, f"note/{note.id}", note.text)
            session.add(
                CaseNote(
                    id=note.id,
                    case_id=case.id,
                    kind=NoteKind(note.kind),
                    sealed=sealed,
                    author_id=by,
                    written_at=note.written_at,
                )
            )


def _keep_agreed(session: Session, case: CaseRecord, whole: Whole, by: str, now: datetime) -> None:
    for said in whole.consents:
        consent_id = new_id()
        hidden = {name: said[name] for name in SEALED}
        session.add(
            CaseConsent(
                id=consent_id,
                case_id=case.id,
                party_id=said["party_id"],
                purpose=Purpose(said["purpose"]),
                state=ConsentState(said["state"]),
                given_by=GivenBy(said["given_by"]),
                alone=Answer(said["alone"]),
                sealed=sealing.seal(session, case.id, f"consent/{consent_id}", hidden),
                recorded_by=by,
                recorded_at=datetime.fromisoformat(said["recorded_at"]),
            )
        )
    if whole.contact_plan is not None:
        plan_id = new_id()
        hidden = {name: whole.contact_plan[name] for name in PLAN}
        sealed = sealing.seal(session, case.id, f"contact_plan/{plan_id}", hidden)
        session.add(CaseContactPlan(id=plan_id, case_id=case.id, sealed=sealed, recorded_by=by, recorded_at=now))
