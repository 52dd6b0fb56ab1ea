"""Whose identity has been kept for long enough: found by category and end, erased a bounded number at a time.

A case that is open keeps it, however old it is; one that was taken up again begins anew when it ends again.
What stands under a legal hold is not due."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlmodel import Session, select

from contracts.case import Category
from contracts.rules import RetentionRules
from kernel.identity import Actor
from services.case.handlers.identity import erase_identity
from services.case.model import ENDED
from services.case.tables import CaseKey, CaseRecord, LegalHold
from services.case.telling import local_day

WHY = "retention"


def months_before(now: datetime, months: int) -> datetime:
    """The same day and time so many months ago; the last day of that month where it is shorter."""
    whole = now.year * 12 + now.month - 1 - months
    for day in range(now.day, 27, -1):
        try:
            return now.replace(year=whole // 12, month=whole % 12 + 1, day=day)
        except ValueError:
            continue
    return now.replace(year=whole // 12, month=whole % 12 + 1, day=min(now.day, 28))


def due(session: Session, *, now: datetime, rules: RetentionRules) -> list[dict[str, Any]]:
    """By category: how many cases are due, and on which day the first of them ended."""
    case: Any = CaseRecord
    counted = (
        select(case.category, func.count(), func.min(case.closed_at))
        .join(CaseKey, CaseKey.case_id == case.id)
        .where(_is_due(now, rules))
        .group_by(case.category)
    )
    months = rules.model_dump()
    found = {category: (count, first) for category, count, first in session.exec(counted)}
    return [
        {"category": each, "months": months[each], "due": found[each][0], "first_ended": local_day(found[each][1])}
        for each in sorted(found)
    ]


def erase_due(session: Session, *, by: Actor, now: datetime, rules: RetentionRules, limit: int) -> int:
    """Erase up to `limit` of them in this transaction, each with its tombstone; return how many."""
    case: Any = CaseRecord
    statement = select(case).join(CaseKey, CaseKey.case_id == case.id).where(_is_due(now, rules))
    rows = session.exec(statement.order_by(case.id).limit(limit).with_for_update()).all()
    return sum(erase_identity(session, row, by=by, reason=WHY, now=now) for row in rows)


def _is_due(now: datetime, rules: RetentionRules) -> ColumnElement[bool]:
    case: Any = CaseRecord
    key: Any = CaseKey
    kept: Mapping[str, int] = rules.model_dump()
    each = [
        and_(case.category == category, case.closed_at < months_before(now, kept[category.value]))
        for category in Category
    ]
    held = select(LegalHold.id).where(LegalHold.case_id == case.id, LegalHold.lifted_at.is_(None)).exists()
    return and_(key.wrapped.is_not(None), case.status.in_(ENDED), ~held, or_(false(), *each))
