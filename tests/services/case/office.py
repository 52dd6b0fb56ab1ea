"""An office for tests: people, a clock, a database, and the use cases called as the doors call them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any

from marshmallow import Schema
from sqlalchemy import text
from sqlmodel import Session, select

from contracts import case as contract
from contracts.case import Question
from contracts.roles import Role
from contracts.rules import CaseRules
from kernel.audit import AuditEntry
from kernel.database import Database
from kernel.fact import Fact, unpack
from kernel.identity import Actor
from kernel.outbox import OutboxRow
from kernel.vault import Vault
from services.case import handlers
from services.case.sealing import VAULT
from services.case.tables import CaseRecord, Partner, Referral

UNIT, OTHER_UNIT = "ninewa-1", "ninewa-2"
ISO = "NI"
NODE, HOME = "ninewa", "directorate-baghdad"
START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
REASON = "the family asked how it stands"


def person(name: str, *roles: Role, unit: str | None = UNIT) -> Actor:
    return Actor(id=f"account-{name}", name=name, roles=frozenset(roles), node="ninewa", unit=unit)


INTAKE = person("intake", Role.INTAKE_OFFICER)
SUPERVISOR = person("supervisor", Role.UNIT_SUPERVISOR)
HANDLER = person("handler", Role.CASE_WORKER)
OFFICER = person("officer", Role.COMMUNITY_OFFICER)
OTHER_SUPERVISOR = person("other-supervisor", Role.UNIT_SUPERVISOR, unit=OTHER_UNIT)
DIRECTOR = person("director", Role.PROVINCIAL_DIRECTOR, unit=None)
INSPECTOR = person("inspector", Role.INSPECTORATE, unit=None)
PARTNER = person("partner", Role.REFERRAL_PARTNER, unit=None)
ADMIN = person("admin", Role.NODE_ADMIN, unit=None)

NO_TO_ALL = {question.value: "no" for question in Question}
FORCE = {**NO_TO_ALL, "force": "yes"}
OPENING = {"answers": NO_TO_ALL, "category": "neighbour_dispute", "channel": "walk_in", "district": "mosul"}


IDENTITY = bytes(range(32))  # the identity key of an office for tests


def hashed(account_id: str) -> str:
    return f"hash-of-{account_id}"


class Office:
    """One node's case service without its doors. `now` stands still unless `wait` is called."""

    def __init__(self, database: Database) -> None:
        self.database = database
        database.info[VAULT] = Vault(lambda: [IDENTITY])
        self.now = START
        self.rules = CaseRules()

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def do(self, use_case: Callable[..., Any], shape: type[Schema], by: Actor, **values: Any) -> Any:
        """Check the request, then carry it out in one transaction, like a door."""
        given = {"now": self.now, "iso": ISO, "rules": self.rules, "hashed": hashed, "node": NODE}
        more = {name: value for name, value in given.items() if name in signature(use_case).parameters}
        with self.database.write() as session:
            return use_case(session, shape().load(values), by=by, **more)

    def open(self, by: Actor = INTAKE, **values: Any) -> CaseRecord:
        return self.do(handlers.open_case, contract.OpenCase, by, **{**OPENING, **values})

    def triage(self, case: CaseRecord, by: Actor = SUPERVISOR, **values: Any) -> CaseRecord:
        whole = {"risk": "medium", "conflict_checked": True, "scope_checked": True, **values}
        return self.do(handlers.triage, contract.Triage, by, case_id=case.id, **whole)

    def assign(self, case: CaseRecord, to: Actor = HANDLER, by: Actor = SUPERVISOR, **values: Any) -> CaseRecord:
        return self.do(handlers.assign, contract.Assign, by, case_id=case.id, handler_id=to.id, **values)

    def start(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> CaseRecord:
        return self.do(handlers.start, contract.Start, by, case_id=case.id, **values)

    def note(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> Any:
        whole = {"text": "spoke to both", **values}
        return self.do(handlers.add_note, contract.AddNote, by, case_id=case.id, **whole)

    def hold(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> CaseRecord:
        whole = {"reason": "she is away", "review_on": "2026-04-01", **values}
        return self.do(handlers.hold, contract.Hold, by, case_id=case.id, **whole)

    def resume(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> CaseRecord:
        return self.do(handlers.resume, contract.Resume, by, case_id=case.id, **values)

    def propose(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> CaseRecord:
        whole = {"outcome": "mediated_agreement", "text": "they agreed", **values}
        return self.do(handlers.propose_resolution, contract.ProposeResolution, by, case_id=case.id, **whole)

    def close(self, case: CaseRecord, by: Actor = SUPERVISOR, **values: Any) -> CaseRecord:
        whole = {"informed": "yes", "text": "agreed with the handler", **values}
        return self.do(handlers.close, contract.Close, by, case_id=case.id, **whole)

    def withdraw(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> CaseRecord:
        whole = {"asked_by": "affected", "alone": "yes", "pressure": "no", **values}
        return self.do(handlers.withdraw, contract.Withdraw, by, case_id=case.id, **whole)

    def refer(self, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> Referral:
        asked = {"destination": "health", "office": "the clinic", "urgency": "urgent", "text": "please see her"}
        asked["consent"] = "given"
        whole = {**asked, **values}
        return self.do(handlers.send_referral, contract.SendReferral, by, case_id=case.id, **whole)

    def accept(self, referral: Referral, by: Actor = HANDLER, **values: Any) -> Referral:
        return self.do(handlers.accept_referral, contract.AcceptReferral, by, referral_id=referral.id, **values)

    def reject(self, referral: Referral, by: Actor = HANDLER, **values: Any) -> Referral:
        whole = {"reason": "no_capacity", **values}
        return self.do(handlers.reject_referral, contract.RejectReferral, by, referral_id=referral.id, **whole)

    def step(self, use_case: str, referral: Referral, by: Actor = HANDLER, **values: Any) -> Referral:
        """Any step of a referral, by the name of its use case."""
        shape = getattr(contract, "".join(word.capitalize() for word in use_case.split("_")))
        return self.do(getattr(handlers, use_case), shape, by, referral_id=referral.id, **values)

    def sheet(self, referral: Referral, by: Actor, **values: Any) -> handlers.Sheet:
        return self.do(handlers.read_sheet, contract.ReadSheet, by, referral_id=referral.id, **values)

    def referral(self, referral: Referral) -> Referral:
        """The referral as the database has it."""
        with self.database.read() as session:
            return session.get_one(Referral, referral.id)

    def suggestions(self, referral: Referral, by: Actor) -> list[str]:
        found = self.do(handlers.suggest_partners, contract.SuggestionQuery, by, referral_id=referral.id)
        return [partner.id for partner, _ in found]

    def partner(self, by: Actor = SUPERVISOR, *, vetted: bool = True, **values: Any) -> Partner:
        """A partner of the directory for legal aid, vetted for a year unless said otherwise."""
        whole = {"names": {"en": "Bar"}, "destination": "legal_aid", "women_on_staff": True, **values}
        listed = self.do(handlers.list_partner, contract.ListPartner, by, **whole)
        return self.vet(listed) if vetted else listed

    def vet(self, partner: Partner | str, by: Actor = DIRECTOR, days: int = 365) -> Partner:
        partner_id = partner if isinstance(partner, str) else partner.id
        until = (self.now + timedelta(days=days)).date().isoformat()
        return self.do(handlers.vet_partner, contract.VetPartner, by, partner_id=partner_id, expires_on=until)

    def suspend(self, partner: Partner | str, by: Actor = DIRECTOR) -> Partner:
        partner_id = partner if isinstance(partner, str) else partner.id
        return self.do(handlers.suspend_partner, contract.SuspendPartner, by, partner_id=partner_id)

    def directory(self, **values: Any) -> list[str]:
        values = contract.PartnerQuery().load(values)
        return [row.id for row in self.run(lambda session: handlers.list_partners(session, values, now=self.now)).items]

    def begin(self, referral: Referral, by: Actor = HANDLER, **values: Any) -> Referral:
        return self.do(handlers.begin_referral, contract.BeginReferral, by, referral_id=referral.id, **values)

    def complete(self, referral: Referral, by: Actor = HANDLER, **values: Any) -> Referral:
        return self.do(handlers.complete_referral, contract.CompleteReferral, by, referral_id=referral.id, **values)

    def get(self, case: CaseRecord, by: Actor, **values: Any) -> handlers.CaseFile:
        return self.do(handlers.get_case, contract.GetCase, by, case_id=case.id, **values)

    def notes(self, case: CaseRecord, by: Actor, **values: Any) -> list[Any]:
        return self.do(handlers.list_notes, contract.NoteQuery, by, case_id=case.id, **values).items

    def listed(self, by: Actor, **values: Any) -> list[str]:
        return [case.id for case in self.do(handlers.list_cases, contract.CaseQuery, by, **values).items]

    def break_silence(self, limit: int = 100) -> int:
        with self.database.write() as session:
            return handlers.break_silence(session, now=self.now, rules=self.rules, home=(HOME,), limit=limit)

    def at_work(self, **values: Any) -> CaseRecord:
        """A case that is in progress."""
        case = self.open(**values)
        self.triage(case)
        self.assign(case, fits_preference=True)
        return self.start(case)

    def proposed(self, outcome: str = "mediated_agreement", **values: Any) -> CaseRecord:
        """A case whose resolution is proposed."""
        return self.propose(self.at_work(**values), outcome=outcome)

    def facts(self, after: int = 0) -> list[Fact]:
        """Every fact told so far, oldest first; without the first `after`."""
        with self.database.read() as session:
            rows = session.exec(select(OutboxRow).order_by(text("id")).offset(after)).all()
            return [unpack(row.envelope) for row in rows]

    def last_fact(self) -> Fact:
        return self.facts()[-1]

    def audited(self) -> list[tuple[str | None, str, str, str, str | None]]:
        """Every line of the audit log: who, what, to which subject, with which outcome, why."""
        with self.database.read() as session:
            entries = session.exec(select(AuditEntry).order_by(text("number"))).all()
            return [(each.actor_id, each.action, each.subject, each.outcome, each.reason) for each in entries]

    def row(self, case: CaseRecord) -> CaseRecord:
        """The case as the database has it."""
        with self.database.read() as session:
            return session.get_one(CaseRecord, case.id)

    def execute(self, statement: str) -> None:
        """What somebody with a database console might try."""
        with self.database.write() as session:
            session.connection().execute(text(statement))

    def run(self, work: Callable[[Session], Any]) -> Any:
        """Anything, in one transaction."""
        with self.database.write() as session:
            return work(session)
