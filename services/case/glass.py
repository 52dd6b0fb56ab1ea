"""Breaking the glass: who may, and for how long. Pure.

The danger is real at three in the morning and the handler asleep; the danger is also a colleague who is curious. So it
is open to those who might have to act, for three hours, for one case that they can name by its number, and it is loud:
the case's handler, the unit's supervisor and the inspectorate are told at once, and every reading is in the audit log.

It never opens a complaint: whom a complaint names must not find it by its number either."""

from datetime import timedelta
from typing import Final

from contracts import roles
from contracts.roles import Role
from kernel.identity import Actor
from services.case.tables import CaseRecord
from services.case.wall import COMPLAINTS

OPEN_FOR: Final = timedelta(hours=3)


def may_break(actor: Actor, case: CaseRecord) -> bool:
    """The provincial director; any unit's supervisor; officers and case workers of the unit that has the case."""
    if actor.has(*roles.CASE_BARRED) or case.walled or case.category in COMPLAINTS:
        return False
    if actor.has(Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR):
        return True
    return actor.has(*roles.CASE_WORK) and actor.unit is not None and actor.unit == case.unit
