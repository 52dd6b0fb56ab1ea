"""Whose cases a caller reaches, and whether identity comes with them. Pure; the list's query says the same in
SQL.

A role opens the door; this decides behind it. Whatever is out of reach is not there: 404, and a line in the
audit log.

| who | which cases | identity |
|---|---|---|
| who entered it, in an intake role | until it is assigned | yes |
| its handler | theirs | yes |
| unit supervisor | of the unit, none behind the wall | with a reason |
| provincial director | of the governorate, none behind the wall | by break-glass (`glass.py`) |
| inspectorate | those behind the wall, but of its own unit | with a reason |

Behind the wall (`wall.py`) stand complaints, against police and of corruption, and cases that name somebody of the
staff. The chain of command stands outside: the inspectorate does there what supervisor and director do for any other
case. Whoever is named finds nothing, by whatever right.

An account that administers the node or its queues, or that reads statistics, reaches no case whatever else it
may be: a supervisor who can make accounts could make a handler of himself.
"""

from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from contracts import roles
from contracts.roles import Role
from kernel.identity import Actor
from services.case.model import BEFORE_HANDOVER
from services.case.tables import CaseRecord
from services.case.wall import COMPLAINTS, behind, in_sight_of, walled_off


class Sight(IntEnum):
    """What a caller may see of a case; each includes the ones before."""

    NOTHING = 0
    STANDING = 1
    IDENTITY_WITH_REASON = 2
    IDENTITY = 3


def sight(actor: Actor, case: CaseRecord) -> Sight:
    """What `actor` may see of `case`."""
    if actor.has(*roles.CASE_BARRED) or walled_off(actor, case):
        return Sight.NOTHING
    if case.handler_id == actor.id and actor.has(*roles.CASE_WORK):
        return Sight.IDENTITY
    if case.opened_by == actor.id and case.status in BEFORE_HANDOVER and actor.has(*roles.INTAKE):
        return Sight.IDENTITY
    if supervises(actor, case):
        return Sight.IDENTITY_WITH_REASON
    return Sight.STANDING if directs(actor, case) else Sight.NOTHING


def supervises(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` decides in the unit's place: its supervisor, and the inspectorate for a complaint."""
    if walled_off(actor, case):
        return False
    if case.walled or case.category in COMPLAINTS:
        return inspects(actor) and actor.unit != case.unit
    return actor.has(Role.UNIT_SUPERVISOR) and actor.unit is not None and actor.unit == case.unit


def inspects(actor: Actor) -> bool:
    """Whether `actor` is of the inspectorate, and not at once the director whose officers are complained of."""
    return actor.has(Role.INSPECTORATE) and not actor.has(Role.PROVINCIAL_DIRECTOR)


def directs(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` directs the governorate, and this is no complaint of those whom the director commands."""
    return actor.has(Role.PROVINCIAL_DIRECTOR) and not walled_off(actor, case)


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
    complaint = behind()
    if actor.has(Role.UNIT_SUPERVISOR) and actor.unit is not None:
        grants.append(and_(case.unit == actor.unit, ~complaint))
    if actor.has(Role.PROVINCIAL_DIRECTOR):
        grants.append(~complaint)
    if inspects(actor):
        grants.append(and_(complaint, case.unit != actor.unit) if actor.unit is not None else complaint)
    return and_(or_(false(), *grants), in_sight_of(actor))
