"""What identifies people in a case, sealed under the key of that case.

The promise: who reads the database, a backup of it or a disk without the node's identity key reads nobody's name, and
once the key of a case is destroyed nobody ever reads them again, the node included. What is sealed is bound to its case
and its place (`context`): a row copied to another case does not open there.

Sealed are the parties (all but their role), the narrative and the place, every text, and what other modules seal with
`seal`. In the clear stays how a case stands, which is about the work: it must be listed, counted and told.

The key of a case is made with the case, in the same transaction, and is read once in each. Reading is allowed or
refused elsewhere (`handlers/reading.py`); here it is only possible or not.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from contracts.case import NoteKind, PartyRole, Sex
from contracts.case.evidence import EvidenceState
from kernel.errors import NotFound, refuse
from kernel.ids import new_id
from kernel.vault import Vault, Wrapped
from kernel.vault import seal as seal_bytes
from kernel.vault import unseal as unseal_bytes
from services.case import folding, index
from services.case.tables import (
    CaseKey,
    CaseNarrative,
    CaseNote,
    CaseParty,
    Evidence,
    EvidencePart,
    NodeSecret,
    WelfareApplication,
)
from services.case.writing import put

VAULT: Final = "vault"
_KEYS: Final = "case_keys"


class IdentityErased(NotFound):
    """What identified people in this case has been erased; that there was a case, and how it ended, remains."""

    code = "identity_erased"


class Party(NamedTuple):
    """Someone in a case, readable."""

    id: str
    role: PartyRole
    name: str | None
    sex: Sex
    birth_date: date | None
    age: int | None
    phone: str | None
    address: str | None


PARTY_SEALED: Final = tuple(name for name in Party._fields if name not in ("id", "role"))


class Note(NamedTuple):
    """A text of a case, readable."""

    id: str
    case_id: str
    kind: NoteKind
    text: str
    author_id: str
    written_at: datetime


def info(vault: Vault, secrets: Mapping[str, bytes]) -> dict[str, Any]:
    """What a session is given so that new cases can be sealed, where no database can be asked for `secrets`."""
    return {VAULT: vault, _KEYS: dict(secrets)}


def make_key(session: Session, case_id: str) -> None:
    """Give a new case its key. Its row must be there already."""
    key, wrapped = _vault(session).new_key(_of(case_id))
    put(session, CaseKey, {"case_id": case_id, "key_id": wrapped.key_id, "wrapped": wrapped.sealed})
    _known(session)[case_id] = key


def seal(session: Session, case_id: str, field: str, value: Any) -> bytes:
    """`value`, anything that JSON can say, sealed for this place of this case. Raises `IdentityErased`."""
    return seal_bytes(_key(session, case_id), msgspec.json.encode(value), f"{_of(case_id)}/{field}")


def unseal(session: Session, case_id: str, field: str, sealed: bytes) -> Any:
    """What `seal` sealed. Raises `IdentityErased`, `NotUnsealed`."""
    return msgspec.json.decode(unseal_bytes(_key(session, case_id), sealed, f"{_of(case_id)}/{field}"))


def seal_raw(session: Session, case_id: str, field: str, value: bytes) -> bytes:
    """Like `seal`, for bytes."""
    return seal_bytes(_key(session, case_id), value, f"{_of(case_id)}/{field}")


def unseal_raw(session: Session, case_id: str, field: str, sealed: bytes) -> bytes:
    """What `seal_raw` sealed."""
    return unseal_bytes(_key(session, case_id), sealed, f"{_of(case_id)}/{field}")


def open_keys(session: Session, case_ids: Collection[str]) -> None:
    """Open the keys of many cases at once, before each is needed."""
    missing = [case_id for case_id in case_ids if case_id not in _known(session)]
    for row in session.exec(select(CaseKey).where(CaseKey.case_id.in_(missing))):
        if row.wrapped is not None and row.key_id is not None:
            _known(session)[row.case_id] = _vault(session).unwrap(Wrapped(row.key_id, row.wrapped), _of(row.case_id))


def is_opened(session: Session, case_id: str) -> bool:
    """Whether the key of this case was opened in this transaction."""
    return case_id in _known(session)


def is_erased(session: Session, case_id: str) -> bool:
    """Whether the key of this case was destroyed, or is gone since the node was restored."""
    row = session.get(CaseKey, case_id)
    return row is None or row.wrapped is None


def destroy(session: Session, case_id: str, *, now: datetime) -> bool:
    """Destroy the key of a case and what was sealed under it; False if it was destroyed before."""
    row = session.get_one(CaseKey, case_id, with_for_update=True)
    if row.wrapped is None:
        return False
    row.key_id = row.wrapped = None
    row.destroyed_at = now
    session.add(row)
    _known(session).pop(case_id, None)
    index.remove(session, case_id)
    _drop_evidence(session, case_id)
    for table in (CaseParty, CaseNarrative, CaseNote):
        for sealed in session.exec(select(table).where(table.case_id == case_id)):
            sealed.sealed = None
            session.add(sealed)
    return True


def _drop_evidence(session: Session, case_id: str) -> None:
    """Files on disk no longer open, and are swept once no row names them (evidence_store.py)."""
    for row in session.exec(select(Evidence).where(Evidence.case_id == case_id)).all():
        session.connection().execute(delete(EvidencePart).where(EvidencePart.evidence_id == row.id))
        row.state, row.sealed = EvidenceState.ERASED, None
        session.add(row)


def secret(session: Session, name: str) -> bytes:
    """A secret of this node by name: made when first asked for, the same ever after."""
    return known_secret(session, name) or _made(session, name)


def known_secret(session: Session, name: str) -> bytes | None:
    """A secret of this node, if it was ever made."""
    known = _known(session)
    if name not in known:
        row = session.get(NodeSecret, name)
        if row is None:
            return None
        known[name] = _vault(session).unwrap(Wrapped(row.key_id, row.wrapped), name)
    return known[name]


def _made(session: Session, name: str) -> bytes:
    """Two transactions may make it at once: the first one's stands, and both use that."""
    _, wrapped = _vault(session).new_key(name)
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"name": name, "key_id": wrapped.key_id, "wrapped": wrapped.sealed}
    session.connection().execute(insert(NodeSecret).values(values).on_conflict_do_nothing())
    row = session.get_one(NodeSecret, name)
    made = _known(session)[name] = _vault(session).unwrap(Wrapped(row.key_id, row.wrapped), name)
    return made


def wrap_anew(session: Session, *, limit: int) -> int:
    """Wrap keys that stand under a former identity key with the present one; return how many.

    Up to `limit` of cases, as many of applications, and the node's few own secrets.
    """
    vault = _vault(session)
    former = select(CaseKey).where(CaseKey.key_id != vault.present).limit(limit).with_for_update()
    rows: list[CaseKey | NodeSecret | WelfareApplication] = list(session.exec(former))
    rows += session.exec(select(NodeSecret).where(NodeSecret.key_id != vault.present).with_for_update())
    welfare = select(WelfareApplication).where(WelfareApplication.key_id != vault.present)
    rows += session.exec(welfare.limit(limit).with_for_update())
    for row in rows:
        context = _wrapped_as(row)
        key = vault.unwrap(Wrapped(row.key_id or "", row.wrapped or b""), context)
        row.key_id, row.wrapped = vault.wrap(key, context)
        session.add(row)
    session.flush()
    return len(rows)


def of_welfare(application_id: str) -> str:
    """What the key of a welfare application is bound to."""
    return f"welfare/{application_id}"


def _wrapped_as(row: CaseKey | NodeSecret | WelfareApplication) -> str:
    if isinstance(row, CaseKey):
        return _of(row.case_id)
    return of_welfare(row.id) if isinstance(row, WelfareApplication) else row.name


# --- what is sealed where


def sealed_party(session: Session, case_id: str, party: dict[str, Any], *, party_id: str) -> CaseParty:
    """A row for a party as the request gives it; one that was here before is found by its new words alone."""
    values, hidden = _party_values(session, case_id, party, party_id)
    index.replace(session, secret(session, index.KEYED_BY), case_id, party_id, hidden)
    return CaseParty(**values)


def keep_party(session: Session, case_id: str, party: dict[str, Any], *, party_id: str) -> dict[str, Any]:
    """Write a party of a new case; the values of its row."""
    values, hidden = _party_values(session, case_id, party, party_id)
    put(session, CaseParty, values)
    index.add(session, secret(session, index.KEYED_BY), case_id, party_id, hidden)
    return values


def _party_values(
    session: Session, case_id: str, party: dict[str, Any], party_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    hidden = {name: party[name] for name in PARTY_SEALED}
    sealed = seal(session, case_id, f"party/{party_id}", hidden)
    values = {"id": party_id, "case_id": case_id, "role": party["role"]}
    return {**values, "index_version": folding.VERSION, "sealed": sealed}, hidden


def index_anew(session: Session, *, limit: int) -> int:
    """Index up to `limit` parties that can be found by earlier rules only, or not yet; return how many."""
    behind = select(CaseParty).where(CaseParty.index_version < folding.VERSION).order_by(CaseParty.id).limit(limit)
    rows = session.exec(behind.with_for_update(skip_locked=True)).all()
    open_keys(session, {row.case_id for row in rows})
    for row in rows:
        if row.sealed is not None:
            index.replace(session, secret(session, index.KEYED_BY), row.case_id, row.id, party(session, row)._asdict())
        row.index_version = folding.VERSION
        session.add(row)
    session.flush()
    return len(rows)


def party(session: Session, row: CaseParty) -> Party:
    """A party, readable."""
    hidden = unseal(session, row.case_id, f"party/{row.id}", _there(row.sealed))
    born = hidden["birth_date"]
    hidden |= {"sex": Sex(hidden["sex"]), "birth_date": date.fromisoformat(born) if born else None}
    return Party(id=row.id, role=row.role, **hidden)


def sealed_narrative(session: Session, case_id: str, *, narrative: str | None, place: str | None) -> CaseNarrative:
    """A row for what was told at intake."""
    return CaseNarrative(**_narrative_values(session, case_id, narrative, place))


def keep_narrative(session: Session, case_id: str, *, narrative: str | None, place: str | None) -> None:
    """Write what was told at intake of a new case."""
    put(session, CaseNarrative, _narrative_values(session, case_id, narrative, place))


def _narrative_values(session: Session, case_id: str, narrative: str | None, place: str | None) -> dict[str, Any]:
    told = {"narrative": narrative, "place": place}
    return {"case_id": case_id, "sealed": seal(session, case_id, "narrative", told)}


def narrative(session: Session, row: CaseNarrative) -> tuple[str | None, str | None]:
    """What was told, and where it happened."""
    told = unseal(session, row.case_id, "narrative", _there(row.sealed))
    return told["narrative"], told["place"]


def sealed_note(
    session: Session, case_id: str, kind: NoteKind, text: str, *, author_id: str, now: datetime
) -> CaseNote:
    """Write a text of a case; the row is added to the session."""
    note_id = new_id()
    sealed = seal(session, case_id, f"note/{note_id}", text)
    row = CaseNote(id=note_id, case_id=case_id, kind=kind, sealed=sealed, author_id=author_id, written_at=now)
    session.add(row)
    return row


def note(session: Session, row: CaseNote) -> Note:
    """A text, readable."""
    text = unseal(session, row.case_id, f"note/{row.id}", _there(row.sealed))
    return Note(row.id, row.case_id, row.kind, text, row.author_id, row.written_at)


def _there(sealed: bytes | None) -> bytes:
    return sealed if sealed is not None else refuse(IdentityErased)


def _of(case_id: str) -> str:
    return f"case/{case_id}"


def _key(session: Session, case_id: str) -> bytes:
    known = _known(session)
    if case_id not in known:
        row = session.get(CaseKey, case_id)
        if row is None or row.wrapped is None or row.key_id is None:
            refuse(IdentityErased)
        known[case_id] = _vault(session).unwrap(Wrapped(row.key_id, row.wrapped), _of(case_id))
    return known[case_id]


def _known(session: Session) -> dict[str, bytes]:
    """The keys that this transaction has opened."""
    known: dict[str, bytes] = session.info.setdefault(_KEYS, {})
    return known


def _vault(session: Session) -> Vault:
    vault: Vault = session.info[VAULT]
    return vault
