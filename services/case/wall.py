"""The conflict wall: someone named in a case, and their chain of command, cannot see, find or infer it. Pure; the
condition for a query says the same in SQL.

A case stands behind the wall when it complains of police or of corruption, or names somebody of the staff. Then

- nobody whose account is named finds it, whatever else they are to it;
- nobody of a named unit finds it, but who entered it, until it is handed over, if they command nobody;
- the provincial director, who commands them all, never does;
- when the head of a unit or one of the inspectorate is named, no inspector who belongs to a unit does: it goes
  upstream, to those who stand under no head of a unit of this governorate, and the home directorate is told so.

What stands behind the wall takes its numbers from sequences of its own (`prefix`): in the sequence that everybody
sees there is no gap from which it could be inferred. A case that names somebody later keeps its number: those who
worked on it before know of it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, or_

from contracts.case.parties import Post
from contracts.case.words import GROUP, Category, CategoryGroup
from contracts.roles import Role
from kernel.identity import Actor
from services.case.tables import CaseRecord

COMPLAINTS: Final = frozenset(category for category, group in GROUP.items() if group is CategoryGroup.COMPLAINT)
UPSTREAM: Final = frozenset({Post.HEAD_OF_UNIT, Post.INSPECTORATE})
COMMANDING: Final = (Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR, Role.INSPECTORATE)
PREFIXES: Final[Mapping[str, str]] = {"": "C", "R": "D"}
"""The letter before a number, and the one that it has behind the wall: cases and referrals. None is transferred."""


def stands_behind(category: Category, staff: Iterable[Any]) -> bool:
    """Whether a case of this category that names `staff` stands behind the wall."""
    return category in COMPLAINTS or any(True for _ in staff)


def prefix(case: CaseRecord, of: str = "") -> str:
    """What a number of `of` (a key of `PREFIXES`) begins with in this case."""
    return PREFIXES[of] if case.walled else of


def is_named(account: str, case: CaseRecord) -> bool:
    """Whether this account is named in the case."""
    return _account(account) in case.walled_from


def named(account: str | None, unit: str | None) -> str:
    """What is added to `walled_from` when they are named."""
    return (_account(account) if account else "") + (_unit(unit) if unit else "")


def walled_off(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` is one from whom the wall keeps `case`."""
    if not (case.walled or case.category in COMPLAINTS):
        return False
    if actor.has(Role.PROVINCIAL_DIRECTOR) or is_named(actor.id, case):
        return True
    if actor.unit is not None and _unit(actor.unit) in case.walled_from:
        return actor.has(*COMMANDING) or case.opened_by != actor.id
    return case.upstream and actor.has(Role.INSPECTORATE) and actor.unit is not None


def in_sight_of(actor: Actor) -> ColumnElement[bool]:
    """The condition under which `walled_off` is false, for a query."""
    case: Any = CaseRecord
    kept: list[ColumnElement[bool]] = [case.walled_from.contains(_account(actor.id), autoescape=True)]
    if actor.has(Role.PROVINCIAL_DIRECTOR):
        return ~behind()
    if actor.unit is not None:
        unit = case.walled_from.contains(_unit(actor.unit), autoescape=True)
        kept.append(unit if actor.has(*COMMANDING) else and_(unit, case.opened_by != actor.id))
        if actor.has(Role.INSPECTORATE):
            kept.append(case.upstream)
    return ~and_(behind(), or_(false(), *kept))


def behind() -> ColumnElement[bool]:
    """The condition under which a case stands behind the wall."""
    case: Any = CaseRecord
    return or_(case.walled, case.category.in_(COMPLAINTS))


def _account(account: str) -> str:
    return f"|account:{account.casefold()}|"


def _unit(unit: str) -> str:
    return f"|unit:{unit.casefold()}|"
