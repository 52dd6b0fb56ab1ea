"""Whose cases a caller reaches, and whether identity comes with them. Pure; the list's query says the same in
SQL.

A role opens the door; this decides behind it. Whatever is out of reach is not there: 404, and a line in the
audit log.

| who | which cases | identity |
|---|---|---|
| who entered it, in an intake role | until it is assigned | yes |
| its handler | theirs | yes |
| unit supervisor | of the unit | with a reason |
| provincial director | of the governorate | with a reason |
| inspectorate | complaints against police, corruption | no |

An account that administers the node or its queues, or that reads statistics, reaches no case whatever else it
may be: a supervisor who can make accounts could make a handler of himself."""

from enum import IntEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, or_

from contracts import roles
from contracts.case.words import GROUP, CategoryGroup
from contracts.roles import Role
from kernel.identity import Actor
from services.case.model import BEFORE_HANDOVER
from services.case.tables import CaseRecord

BARRED: Final = roles.ADMIN | {Role.OPERATOR} | roles.ANALYSIS
COMPLAINTS: Final = frozenset(category for category, group in GROUP.items() if group is CategoryGroup.COMPLAINT)


class Sight(IntEnum):
    """What a caller may see of a case; each includes the ones before."""

    NOTHING = 0
    STANDING = 1
    IDENTITY_WITH_REASON = 2
    IDENTITY = 3


def sight(actor: Actor, case: CaseRecord) -> Sight:
    """What `actor` may see of `case`."""
    if actor.has(*BARRED):
        return Sight.NOTHING
    if case.handler_id == actor.id and actor.has(*roles.CASE_WORK):
        return Sight.IDENTITY
    if case.opened_by == actor.id and case.status in BEFORE_HANDOVER and actor.has(*roles.INTAKE):
        return Sight.IDENTITY
    if supervises(actor, case) or actor.has(Role.PROVINCIAL_DIRECTOR):
        return Sight.IDENTITY_WITH_REASON
    if actor.has(Role.INSPECTORATE) and case.category in COMPLAINTS:
        return Sight.STANDING
    return Sight.NOTHING


def supervises(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` supervises the unit that the case belongs to."""
    return actor.has(Role.UNIT_SUPERVISOR) and actor.unit is not None and actor.unit == case.unit


def reached(actor: Actor) -> ColumnElement[bool]:
    """The condition under which `sight` is more than nothing, for a query."""
    if actor.has(*BARRED):
        return false()
    case: Any = CaseRecord
    grants: list[ColumnElement[bool]] = []
    if actor.has(*roles.CASE_WORK):
        grants.append(case.handler_id == actor.id)
    if actor.has(*roles.INTAKE):
        grants.append(and_(case.opened_by == actor.id, case.status.in_(BEFORE_HANDOVER)))
    if actor.has(Role.UNIT_SUPERVISOR) and actor.unit is not None:
        grants.append(case.unit == actor.unit)
    if actor.has(Role.PROVINCIAL_DIRECTOR):
        grants.append(case.id.is_not(None))
    if actor.has(Role.INSPECTORATE):
        grants.append(case.category.in_(COMPLAINTS))
    return or_(false(), *grants)
