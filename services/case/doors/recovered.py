"""The door about records that came back after a restore."""

from typing import Any

from contracts import recovered, roles
from kernel.extensions import Call, door
from services.case import views
from services.case.handlers import recovery


class RecoveredDoors:
    """Cases and referrals of which something was lost."""

    @door(recovered.RecoveredQuery, view=recovered.RecoveredPage, roles=roles.CASE_APPROVAL, reads=True)
    def list_recovered_cases(self, call: Call) -> dict[str, Any]:
        return views.listed(recovery.list_recovered(call.session, call.values, by=call.actor))
