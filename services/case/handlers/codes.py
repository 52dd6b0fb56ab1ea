"""An office without an account: a sheet and an answer for who has the referral's number and its one-time code.

The code is shown once, to the officer who reads it out. Kept is a slow hash of it (scrypt, a salt for each), so that
who reads the database has no code. A wrong guess is counted with the referral and committed before it is refused: after
five the code is void, whatever the address they came from; the gateway bounds guesses over many referrals. An unknown
number costs as much work as a wrong code and is refused in the same words."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, select

from contracts.case import ReferralStatus
from contracts.case.sheets import CODE_LENGTH
from contracts.rules import CaseRules
from kernel import audit
from kernel.errors import refuse
from kernel.identity import Actor
from services.case.handlers.referrals import answered, delivered, to_steer
from services.case.handlers.sheets import Sheet, sheet_of
from services.case.referral import ANSWERS, REFERRAL_MOVES, REFERRAL_OPEN
from services.case.refusals import NothingToAnswer
from services.case.tables import CaseRecord, Referral, ReferralCode

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # 31 signs that are not taken for each other when read out
MOST_WRONG: Final = 5  # of 31 to the power of 10: one in 10 to the power of 14
MOST_SHOWN: Final = 3
UNKNOWN_SALT: Final = bytes(16)


def issue_code(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> tuple[Referral, str, datetime]:
    """A fresh code for the office of a referral; the one before it is void. Raises `NothingToAnswer`."""
    referral, _ = to_steer(session, values, by=by)
    if not _answerable(referral):
        refuse(NothingToAnswer, status=referral.status.value)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    salt = secrets.token_bytes(16)
    expires_at = now + timedelta(days=rules.code_days)
    kept = session.get(ReferralCode, referral.id, with_for_update=True) or ReferralCode(referral_id=referral.id)
    kept.salt, kept.hash = salt, _hash(code, salt)
    kept.issued_by, kept.issued_at, kept.expires_at = by.id, now, expires_at
    kept.wrong, kept.shown, kept.used_at = 0, 0, None
    session.add(kept)
    audit.record(session, actor=by, action="issue_code", subject=referral.id, outcome="allowed", reason=None, at=now)
    return referral, f"{code[:5]}-{code[5:]}", expires_at


def sheet_by_code(session: Session, values: dict[str, Any], *, now: datetime) -> Sheet | None:
    """The sheet, three times at the most; None for a wrong number or code, which is counted."""
    found = _opened(session, values, now)
    if found is None:
        return None
    referral, case, code = found
    if code.shown >= MOST_SHOWN:
        return None
    code.shown += 1
    session.add(code)
    who = holder(referral)
    audit.record(session, actor=who, action="read_sheet", subject=referral.id, outcome="allowed", reason=None, at=now)
    if referral.status is ReferralStatus.SENT:
        delivered(session, referral, case, now)
    return sheet_of(session, referral, case)


def answer_by_code(session: Session, values: dict[str, Any], *, now: datetime) -> Referral | None:
    """Answer once; None for a wrong number or code, which is counted. Raises `MoveRefused`; the code then holds."""
    found = _opened(session, values, now)
    if found is None:
        return None
    referral, case, code = found
    code.used_at = now
    session.add(code)
    return answered(session, referral, case, ANSWERS[values["answer"]], values, by=holder(referral), now=now)


def holder(referral: Referral) -> Actor:
    """Who has the code of a referral: nobody of this node, known by the referral only."""
    return Actor(id=f"code:{referral.id}", name="", roles=frozenset(), node="")


def _opened(
    session: Session, values: dict[str, Any], now: datetime
) -> tuple[Referral, CaseRecord, ReferralCode] | None:
    """What the number and the code open, locked in the order of every other request: case, referral, code."""
    given = values["code"].upper().replace("-", "").replace(" ", "")
    referral = session.exec(select(Referral).where(Referral.number == values["number"])).first()
    if referral is None:
        _hash(given, UNKNOWN_SALT)
        return None
    case = session.get_one(CaseRecord, referral.case_id, with_for_update=True)
    session.refresh(referral, with_for_update=True)
    code = session.get(ReferralCode, referral.id, with_for_update=True)
    fits = hmac.compare_digest(_hash(given, code.salt if code else UNKNOWN_SALT), code.hash if code else bytes(32))
    if code is None or code.used_at is not None or code.wrong >= MOST_WRONG or code.expires_at <= now:
        return None
    if not fits:
        code.wrong += 1
        session.add(code)
        return None
    return (referral, case, code) if _answerable(referral) else None


def _answerable(referral: Referral) -> bool:
    moves = [REFERRAL_MOVES[move] for move in ANSWERS.values()]
    return referral.status in REFERRAL_OPEN and any(referral.status in step.sources for step in moves)


def _hash(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
