"""A case as bytes, whole, for the key of one node; and out of the bytes again, as rows of that node.

What goes along: how the case stands and stood, the frozen intake, who is in it, what was told and written, what was
agreed to and how the affected person may be reached, its reclassifications, interviews, referrals, mediations and calls
for help, and the register of its evidence (not the files: services/case/evidence_archive.py). Accounts do not: their
ids mean nothing elsewhere (`rows.py`). Compressed, then sealed in parts (`parts.py`).

Form 2 is what is released. Form 1 has the persons, texts and agreements only: it is what releases were before there
were parts, and what a handler from elsewhere is shown.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
import zstandard
from sqlmodel import Session, select

from contracts.case import Answer, NoteKind, PartyRole
from contracts.case.parties import ConsentState, GivenBy, Purpose
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
from services.case.transfer import rows
from services.case.transfer.rows import ContentRefused

PERSONS, WHOLE = 1, 2
FORMS: Final = frozenset({PERSONS, WHOLE})
MOST_UNPACKED: Final = 128 * 1024 * 1024
STANDING: Final = (
    "id", "number", "recording_class", "current_class", "category", "restricted", "risk", "channel", "district",
    "incident_from", "incident_until", "reported_at", "opened_at", "language", "interpreter", "handler_preference",
    "prior_resort", "pressure_reported", "age_band", "parties_told", "parties_by_sex", "first_contact_at", "minors",
    "reopened", "closings", "notes",
)  # fmt: skip


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
    """A case with everything that goes along. `beside`: rows by table, in form 2 texts and agreements among them."""

    form: int
    standing: dict[str, Any]
    intake: Intake
    parties: list[dict[str, Any]]
    narrative: str | None
    place: str | None
    notes: list[Note]
    consents: list[dict[str, Any]]
    contact_plan: dict[str, Any] | None
    beside: dict[str, list[dict[str, Any]]] = {}


def pack(session: Session, case: CaseRecord, *, node: str) -> bytes:
    """The whole case, of `node`. Raises `IdentityErased`."""
    return _packed(_whole(session, case, WHOLE, beside=rows.taken_along(session, case, node)))


def pack_persons(session: Session, case: CaseRecord) -> bytes:
    """What somebody who helps with the case reads. Raises `IdentityErased`."""
    texts = session.exec(select(CaseNote).where(CaseNote.case_id == case.id).order_by(CaseNote.id))
    whole = _whole(
        session,
        case,
        PERSONS,
        notes=[_note(session, row) for row in texts],
        consents=[_without_account(readable(session, said)) for said in last_said(session, case.id)],
        contact_plan=contact_plan(session, case.id),
    )
    return _packed(whole)


def _whole(session: Session, case: CaseRecord, form: int, **more: Any) -> Whole:
    intake = session.get_one(CaseIntake, case.id)
    parties = session.exec(select(CaseParty).where(CaseParty.case_id == case.id).order_by(CaseParty.id))
    narrative, place = sealing.narrative(session, session.get_one(CaseNarrative, case.id))
    return Whole(
        form=form,
        standing={name: getattr(case, name) for name in STANDING},
        intake=Intake(intake.answers, intake.recording_class.value, intake.rule_version, intake.answered_at),
        parties=[sealing.party(session, row)._asdict() for row in parties],
        narrative=narrative,
        place=place,
        **{"notes": [], "consents": [], "contact_plan": None, **more},
    )


def _packed(whole: Whole) -> bytes:
    """The same bytes for the same case: a release that is sealed again has the same digest."""
    return zstandard.ZstdCompressor(level=10).compress(msgspec.json.encode(whole, order="sorted"))


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
    if whole.form not in FORMS or not {"id", "number", "recording_class"} <= set(whole.standing):
        raise ContentRefused(cause="form")
    return whole


def row_of(whole: Whole) -> dict[str, Any]:
    """The columns of `case_record` as the sender had them. Raises `ContentRefused` for what does not fit them."""
    return rows.typed(CaseRecord, {name: value for name, value in whole.standing.items() if name in STANDING})


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
    rows.keep(session, case, whole.beside)


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
