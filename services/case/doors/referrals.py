"""The doors of referrals, and what happens to them because time passes."""

from functools import cache
from pathlib import Path
from typing import Any

from contracts import case as contract
from contracts import roles, rules, topology
from kernel.clock import now
from kernel.errors import refuse
from kernel.extensions import Call, Node, door, every
from services.case import handlers, views
from services.case.doors.of_node import case_rules, hashed, iso
from services.case.refusals import WrongCode
from services.case.tables import Referral

PASS = 100  # referrals one pass takes a step with: a transaction of some tens of milliseconds
WATCH_SECONDS = 60  # the shortest answer is due in 24 hours


@cache
def home_of(file: Path, node: str) -> tuple[str, ...]:
    """The directorate that is told of silence; none at a directorate itself."""
    here = topology.load(file).node(node)
    return (here.home,) if here.kind is topology.NodeKind.GOVERNORATE else ()


class ReferralDoors:
    """Asking other offices, and what they answered."""

    database: Any
    settings = Node()

    @door(contract.ReferralQuery, view=contract.ReferralPage, roles=roles.CASE_READ, reads=True)
    def list_referrals(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_referrals(call.session, call.values, by=call.actor))

    @door(contract.SendReferral, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def send_referral(self, call: Call) -> Referral:
        return handlers.send_referral(
            call.session,
            call.values,
            by=call.actor,
            now=call.now,
            iso=iso(call),
            rules=case_rules(call),
            hashed=hashed(call),
        )

    @door(contract.AskConsent, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def ask_consent(self, call: Call) -> Referral:
        return handlers.ask_consent(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.DispatchReferral, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def dispatch_referral(self, call: Call) -> Referral:
        return handlers.dispatch_referral(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(contract.DeliverReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def deliver_referral(self, call: Call) -> Referral:
        return handlers.deliver_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.AcceptReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def accept_referral(self, call: Call) -> Referral:
        return handlers.accept_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.RejectReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def reject_referral(self, call: Call) -> Referral:
        return handlers.reject_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.BeginReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def begin_referral(self, call: Call) -> Referral:
        return handlers.begin_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.CompleteReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def complete_referral(self, call: Call) -> Referral:
        return handlers.complete_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.NotCompleteReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def not_complete_referral(self, call: Call) -> Referral:
        return handlers.not_complete_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.ConfirmReferral, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def confirm_referral(self, call: Call) -> Referral:
        return handlers.confirm_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.RevokeReferral, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def revoke_referral(self, call: Call) -> Referral:
        return handlers.revoke_referral(call.session, call.values, by=call.actor, now=call.now)

    # --- the sheet and the code. What these answer is personal or a secret: behind doors that only read, their
    # answers are not kept to be given again, and what they write is a transaction of its own.

    @door(contract.ReadSheet, view=contract.SheetView, roles=roles.REFERRAL_ANSWER, reads=True)
    def read_sheet(self, call: Call) -> Any:
        with self.database.write() as session:
            return handlers.read_sheet(session, call.values, by=call.actor, now=call.now)

    @door(contract.IssueCode, view=contract.CodeView, roles=roles.REFERRAL_WRITE, reads=True)
    def issue_code(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            referral, code, expires_at = handlers.issue_code(
                session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
            )
        return {"number": referral.number, "code": code, "expires_at": expires_at}

    @door(contract.SheetByCode, view=contract.SheetView, roles=roles.ANSWER_BY_CODE, reads=True)
    def sheet_by_code(self, call: Call) -> Any:
        with self.database.write() as session:
            sheet = handlers.sheet_by_code(session, call.values, now=call.now)
        return sheet or refuse(WrongCode)  # after the commit: the guess is counted

    @door(contract.AnswerByCode, view=contract.AnswerTaken, roles=roles.ANSWER_BY_CODE, reads=True)
    def answer_by_code(self, call: Call) -> Any:
        with self.database.write() as session:
            referral = handlers.answer_by_code(session, call.values, now=call.now)
        return referral or refuse(WrongCode)

    # --- time

    @every(seconds=WATCH_SECONDS)
    def watch_referrals(self) -> None:
        """Referrals without an answer take their next step: supervisor, head, directorate, expiry."""
        policy = rules.load(self.settings.rules).case
        home = home_of(self.settings.topology, self.settings.node)
        with self.database.write() as session:
            handlers.break_silence(session, now=now(), rules=policy, home=home, limit=PASS)
