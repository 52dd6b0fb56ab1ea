"""The doors of welfare applications."""

from typing import Any

from contracts import roles
from contracts.case import welfare
from kernel.extensions import Call, door
from services.case import handlers, views
from services.case.doors.of_node import iso


class WelfareDoors:
    """Applications of officers and of families of the fallen."""

    database: Any

    @door(welfare.StartWelfare, view=welfare.WelfareView, roles=roles.WELFARE)
    def start_welfare(self, call: Call) -> Any:
        return handlers.start_welfare(call.session, call.values, by=call.actor, now=call.now, iso=iso(call))

    @door(welfare.WelfareQuery, view=welfare.WelfarePage, roles=roles.WELFARE_READ, reads=True)
    def list_welfare(self, call: Call) -> Any:
        return views.listed(handlers.list_welfare(call.session, call.values, by=call.actor, now=call.now))

    @door(welfare.GetWelfare, view=welfare.WelfareFile, roles=roles.WELFARE_READ, reads=True)
    def get_welfare(self, call: Call) -> Any:
        with self.database.write_silently() as session:
            return handlers.get_welfare(session, call.values, by=call.actor, now=call.now)

    @door(welfare.CheckDocuments, view=welfare.WelfareView, roles=roles.WELFARE)
    def check_documents(self, call: Call) -> Any:
        return handlers.check_documents(call.session, call.values, by=call.actor, now=call.now)

    @door(welfare.SubmitWelfare, view=welfare.WelfareView, roles=roles.WELFARE)
    def submit_welfare(self, call: Call) -> Any:
        return handlers.submit_welfare(call.session, call.values, by=call.actor, now=call.now)

    @door(welfare.HandOverWelfare, view=welfare.WelfareView, roles=roles.WELFARE)
    def hand_over_welfare(self, call: Call) -> Any:
        return handlers.hand_over_welfare(call.session, call.values, by=call.actor, now=call.now)

    @door(welfare.DecideWelfare, view=welfare.WelfareView, roles=roles.WELFARE_DECISION)
    def decide_welfare(self, call: Call) -> Any:
        return handlers.decide_welfare(call.session, call.values, by=call.actor, now=call.now)

    @door(welfare.AppealWelfare, view=welfare.WelfareView, roles=roles.WELFARE)
    def appeal_welfare(self, call: Call) -> Any:
        return handlers.appeal_welfare(call.session, call.values, by=call.actor, now=call.now)

    @door(welfare.PayWelfare, view=welfare.WelfareView, roles=roles.WELFARE_DECISION)
    def pay_welfare(self, call: Call) -> Any:
        return handlers.pay_welfare(call.session, call.values, by=call.actor, now=call.now)

    @door(welfare.CloseWelfare, view=welfare.WelfareView, roles=roles.WELFARE_DECISION)
    def close_welfare(self, call: Call) -> Any:
        return handlers.close_welfare(call.session, call.values, by=call.actor, now=call.now)
