"""The doors of the case service, and the one thing that happens because time passes."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from contracts import case as contract
from contracts import roles, rules, topology
from kernel.clock import now
from kernel.crypto import hashed_id, load_hash_key
from kernel.extensions import Call, Database, Metrics, Relay, door, every
from services.case import handlers, views
from services.case.tables import CaseRecord, Referral

PASS = 100  # referrals one pass may tell of: a transaction of some tens of milliseconds
WATCH_SECONDS = 60  # the shortest answer is due in 24 hours


@cache
def iso_of(file: Path, node: str) -> str:
    """The node's ISO 3166-2 part, which its numbers begin with."""
    return topology.load(file).node(node).iso


@cache
def hashing(keys: Path) -> Callable[[str], str]:
    """How a fact of this node names an account."""
    return partial(hashed_id, load_hash_key(keys / "hash.key"))


def _iso(call: Call) -> str:
    return iso_of(call.settings.topology, call.node)


def _hashed(call: Call) -> Callable[[str], str]:
    return hashing(call.settings.keys_directory)


def _rules(call: Call) -> rules.CaseRules:
    return rules.load(call.settings.rules).case


class CaseService:
    """Cases from intake to closing, and referrals."""

    name = "case"

    database = Database()
    relay = Relay()
    metrics = Metrics()

    # --- intake

    @door(contract.OpenCase, view=contract.CaseSummary, roles=roles.INTAKE)
    def open_case(self, call: Call) -> CaseRecord:
        return handlers.open_case(
            call.session, call.values, by=call.actor, now=call.now, iso=_iso(call), rules=_rules(call)
        )

    # --- reading. What shows identity writes its audit line in a transaction of its own, behind a door that only
    # reads: so its answer is never kept to be given again for an Idempotency-Key, without another line.

    @door(contract.CaseQuery, view=contract.CasePage, roles=roles.CASE_READ, reads=True)
    def list_cases(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_cases(call.session, call.values, by=call.actor))

    @door(contract.GetCase, view=contract.CaseView, roles=roles.CASE_READ, reads=True)
    def get_case(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            return views.case_file(handlers.get_case(session, call.values, by=call.actor, now=call.now))

    @door(contract.NoteQuery, view=contract.NotePage, roles=roles.CASE_READ, reads=True)
    def list_notes(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            return views.listed(handlers.list_notes(session, call.values, by=call.actor, now=call.now))

    @door(contract.ReferralQuery, view=contract.ReferralPage, roles=roles.CASE_READ, reads=True)
    def list_referrals(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_referrals(call.session, call.values, by=call.actor))

    # --- moves

    @door(contract.Triage, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def triage(self, call: Call) -> CaseRecord:
        return handlers.triage(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.Assign, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def assign(self, call: Call) -> CaseRecord:
        return handlers.assign(call.session, call.values, by=call.actor, now=call.now, hashed=_hashed(call))

    @door(contract.Start, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def start(self, call: Call) -> CaseRecord:
        return handlers.start(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.AddNote, view=contract.NoteAdded, roles=roles.CASE_WORK)
    def add_note(self, call: Call) -> Any:
        return handlers.add_note(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.Hold, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def hold(self, call: Call) -> CaseRecord:
        return handlers.hold(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.Resume, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def resume(self, call: Call) -> CaseRecord:
        return handlers.resume(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.ProposeResolution, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def propose_resolution(self, call: Call) -> CaseRecord:
        return handlers.propose_resolution(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.Close, view=contract.CaseSummary, roles=roles.CASE_APPROVAL)
    def close(self, call: Call) -> CaseRecord:
        return handlers.close(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.Withdraw, view=contract.CaseSummary, roles=roles.REFERRAL_WRITE)
    def withdraw(self, call: Call) -> CaseRecord:
        return handlers.withdraw(call.session, call.values, by=call.actor, now=call.now)

    # --- referrals

    @door(contract.SendReferral, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def send_referral(self, call: Call) -> Referral:
        return handlers.send_referral(
            call.session,
            call.values,
            by=call.actor,
            now=call.now,
            iso=_iso(call),
            rules=_rules(call),
            hashed=_hashed(call),
        )

    @door(contract.AcceptReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def accept_referral(self, call: Call) -> Referral:
        return handlers.accept_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.RejectReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def reject_referral(self, call: Call) -> Referral:
        return handlers.reject_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.CompleteReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def complete_referral(self, call: Call) -> Referral:
        return handlers.complete_referral(call.session, call.values, by=call.actor, now=call.now)

    # --- time

    @every(seconds=WATCH_SECONDS)
    def watch_referrals(self) -> None:
        """Referrals whose answer was due and has not come are told of, once."""
        with self.database.write() as session:
            handlers.tell_overdue(session, now=now(), limit=PASS)
