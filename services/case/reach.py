"""Whose cases a caller reaches, and whether identity comes with them. Pure; the list's query says the same in
SQL.

A role opens the door; this decides behind it. Whatever is out of reach is not there: 404, and a line in the
audit log.

| who | which cases | identity |
|---|---|---|
| who entered it, in an intake role | until it is assigned | yes |
| its handler | theirs | yes |
| unit supervisor | of the unit, no complaints | with a reason |
| provincial director | of the governorate, no complaints | with a reason |
| inspectorate | complaints, but of its own unit | with a reason |

Complaints are the categories of that group: against police, and corruption. Whom they name is in a text that no
program reads, so the whole chain of command stands outside the wall: the inspectorate does for a complaint what
supervisor and director do for any other case.

An account that administers the node or its queues, or that reads statistics, reaches no case whatever else it
may be: a supervisor who can make accounts could make a handler of himself.
"""

from enum import IntEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, or_

from contracts import roles
from contracts.case.words import GROUP, CategoryGroup
from contracts.roles import Role
from kernel.identity import Actor
from services.case.model import BEFORE_HANDOVER
from services.case.tables import CaseRecord

COMPLAINTS: Final = frozenset(category for category, group in GROUP.items() if group is CategoryGroup.COMPLAINT)


class Sight(IntEnum):
    """What a caller may see of a case; each includes the ones before."""

    NOTHING = 0
    IDENTITY_WITH_REASON = 1
    IDENTITY = 2


def sight(actor: Actor, case: CaseRecord) -> Sight:
    """What `actor` may see of `case`."""
    if actor.has(*roles.CASE_BARRED):
        return Sight.NOTHING
    if case.handler_id == actor.id and actor.has(*roles.CASE_WORK):
        return Sight.IDENTITY
    if case.opened_by == actor.id and case.status in BEFORE_HANDOVER and actor.has(*roles.INTAKE):
        return Sight.IDENTITY
    if supervises(actor, case) or directs(actor, case):
        return Sight.IDENTITY_WITH_REASON
    return Sight.NOTHING


def supervises(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` decides in the unit's place: its supervisor, and the inspectorate for a complaint."""
    if case.category in COMPLAINTS:
        return inspects(actor) and actor.unit != case.unit
    return actor.has(Role.UNIT_SUPERVISOR) and actor.unit is not None and actor.unit == case.unit


def inspects(actor: Actor) -> bool:
    """Whether `actor` is of the inspectorate, and not at once the director whose officers are complained of."""
    return actor.has(Role.INSPECTORATE) and not actor.has(Role.PROVINCIAL_DIRECTOR)


def directs(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` directs the governorate, and this is no complaint of those whom the director commands."""
    return actor.has(Role.PROVINCIAL_DIRECTOR) and case.category not in COMPLAINTS


def reached(actor: Actor) -> ColumnElement[bool]:
    """The condition under which `sight` is more than nothing, for a query."""
    if actor.has(*roles.CASE_BARRED):
        return false()
    case: Any = CaseRecord
    grants: list[ColumnElement[bool]] = []
    if actor.has(*roles.CASE_WORK):
        grants.append(case.handler_id == actor.id)
    if actor.has(*roles.INTAKE):
        grants.append(and_(case.opened_by == actor.id, case.status.in_(BEFORE_HANDOVER)))
    complaint = case.category.in_(COMPLAINTS)
    if actor.has(Role.UNIT_SUPERVISOR) and actor.unit is not None:
        grants.append(and_(case.unit == actor.unit, ~complaint))
    if actor.has(Role.PROVINCIAL_DIRECTOR):
        grants.append(~complaint)
    if inspects(actor):
        grants.append(and_(complaint, case.unit != actor.unit) if actor.unit is not None else complaint)
    return or_(false(), *grants)
