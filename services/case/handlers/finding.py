"""Finding a case or referral for a caller, and refusing what the caller may not do with it."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session

from contracts import roles
from kernel.errors import MoveRefused, refuse
from kernel.identity import Actor
from services.case import model
from services.case.reach import Sight, sight, supervises
from services.case.refusals import CaseNotFound, NotTheHandler, NotTheSupervisor, ReferralNotFound
from services.case.tables import CaseRecord, Referral


def found(session: Session, case_id: str, *, by: Actor) -> CaseRecord:
    """The case, if `by` reaches it. Raises `CaseNotFound` otherwise, whether it exists or not."""
    case = session.get(CaseRecord, case_id)
    if case is None or sight(by, case) is Sight.NOTHING:
        refuse(CaseNotFound, subject=case_id)
    return case


def to_change(session: Session, values: dict[str, Any], *, by: Actor) -> CaseRecord:
    """The case of `values`, locked until the transaction ends, at the version that the caller saw."""
    session.get(CaseRecord, values["case_id"], with_for_update=True)
    case = found(session, values["case_id"], by=by)
    must_own(case)
    model.check_version(case.version, values.get("version"))
    return case


def must_own(case: CaseRecord) -> None:
    """Refuse to change anything of a case that was given away: its owner does, and nobody else."""
    if not case.owned:
        raise MoveRefused(
            f"The case is {case.status.value}; another governorate goes on with it.", current=case.status.value
        )


def is_owned() -> ColumnElement[bool]:
    """The condition that a case is owned here, for what the clock does beside it (a query that joins it)."""
    case: Any = CaseRecord
    return case.owned.is_(True)


def must_handle(case: CaseRecord, by: Actor) -> None:
    """Refuse anybody but the handler."""
    if case.handler_id != by.id:
        refuse(NotTheHandler)


def must_supervise(case: CaseRecord, by: Actor) -> None:
    """Refuse anybody but a supervisor of the case's unit."""
    if not supervises(by, case):
        refuse(NotTheSupervisor, unit=case.unit)


def must_handle_or_supervise(case: CaseRecord, by: Actor) -> None:
    """Refuse anybody but the handler and the supervisors of the case's unit."""
    if not supervises(by, case):
        must_handle(case, by)


def referral_to_answer(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Referral, CaseRecord]:
    """The referral of `values`, locked, and its case: for the partner asked, or who works on the case.

    The case is locked first, as everywhere: two locks are always taken in this order.
    """
    referral = session.get(Referral, values["referral_id"])
    if referral is None:
        refuse(ReferralNotFound, subject=values["referral_id"])
    case = session.get_one(CaseRecord, referral.case_id, with_for_update=True)
    session.refresh(referral, with_for_update=True)
    if not _answers(by, referral, case):
        refuse(ReferralNotFound, subject=referral.id)
    model.check_version(referral.version, values.get("version"))
    return referral, case


def _answers(by: Actor, referral: Referral, case: CaseRecord) -> bool:
    if by.has(*roles.CASE_BARRED):
        return False
    if referral.partner_id == by.id and by.has(roles.Role.REFERRAL_PARTNER):
        return True
    return supervises(by, case) or (case.handler_id == by.id and by.has(*roles.CASE_WORK))
