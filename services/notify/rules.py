"""Who is told what: facts to notifications, by rule. Pure, and the only place where it is decided.

A rule names the fact, whom to tell, and where the printed number stands. It cannot name content: a draft has no room
for any. Three things are decided here for every rule. Of a case nobody is told whom the case service would show none:
forum roles, administrators, operators, analysts. A case that complains of police or of corruption is told to the
inspectorate instead of the unit, because those it names may be the unit (hard rule 5: they cannot see, find or infer
it); one that names an account or a unit is told to its handler alone. And nobody is told twice of one thing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.case.words import CategoryGroup, RecordingClass
from contracts.notify import ACKNOWLEDGING
from contracts.roles import (
    ANALYSIS,
    ANSWER_BY_CODE,
    CASE_BARRED,
    CASE_READ,
    CASE_WORK,
    CONFIRMATION,
    DIRECTIVES,
    RECLASSIFICATION_APPROVAL,
    RECLASSIFICATION_READ,
    Role,
)
from services.notify.model import Contact, Directory, Draft

Parts = Mapping[str, Any]
Recipients = Callable[[Parts, Directory], Iterable[Contact]]


@dataclass(frozen=True)
class Rule:
    """On a fact of type `on`, tell `to`. `reference`: field of the printed number. `arrives`: from another node.
    `opens`: field of the id of the record to open, where that is not the fact's subject."""

    name: str
    on: str
    about: str
    to: tuple[Recipients, ...]
    reference: str | None = None
    arrives: bool = False
    opens: str | None = None


def walled(parts: Parts) -> bool:
    """Whether the record must stay unseen by the chain of command of the unit that it belongs to."""
    return parts.get("category_group") == CategoryGroup.COMPLAINT or parts.get("walled") is True


def supervisors(parts: Parts, directory: Directory) -> list[Contact]:
    """Who supervises the unit that the record belongs to; the inspectorate for what the unit must not see."""
    if walled(parts):
        return [contact for contact in directory.holding([Role.INSPECTORATE]) if not _commands(contact, parts)]
    return directory.in_unit(parts.get("unit"), [Role.UNIT_SUPERVISOR])


def _commands(contact: Contact, parts: Parts) -> bool:
    """Whether an inspector is at once of the unit, or the director of its officers."""
    return contact.has(Role.PROVINCIAL_DIRECTOR) or (contact.unit is not None and contact.unit == parts.get("unit"))


def approvers(parts: Parts, directory: Directory) -> list[Contact]:
    """Who may approve a closing: never the handler, and somebody outside the unit where a crime was indicated."""
    approving = supervisors(parts, directory)
    if parts.get("recording_class") == RecordingClass.CRIME_INDICATED and not walled(parts):
        approving = approving + directory.holding([Role.PROVINCIAL_DIRECTOR])
    return [contact for contact in approving if contact.hash != parts.get("handler")]


def handler(parts: Parts, directory: Directory) -> list[Contact]:
    return directory.hashed(parts.get("handler"))


def inspectors(parts: Parts, directory: Directory) -> list[Contact]:
    return directory.holding([Role.INSPECTORATE])


def sender(parts: Parts, directory: Directory) -> list[Contact]:
    return directory.hashed(parts.get("sender"))


def head(parts: Parts, directory: Directory) -> list[Contact]:
    """The head of the office that was asked, where it has an account here."""
    return directory.hashed(parts.get("head"))


def reclassifiers(parts: Parts, directory: Directory) -> list[Contact]:
    """Who may decide a change of class: the inspectorate and the director, nobody of the unit that has the case, nobody
    who handles it or proposed this; behind the wall the inspectorate alone."""
    deciding = supervisors(parts, directory) if walled(parts) else directory.holding(RECLASSIFICATION_APPROVAL)
    own = (parts.get("handler"), parts.get("proposer"))
    return [
        contact
        for contact in deciding
        if contact.hash not in own and (contact.unit is None or contact.unit != parts.get("unit"))
    ]


def interviewers(parts: Parts, directory: Directory) -> list[Contact]:
    """Who may hold an interview that was drawn up: of the unit that was drawn; where it has none, and behind the wall,
    those who belong to no unit. Nobody, if it is known that it will not be held."""
    if parts.get("unasked") is not None:
        return []
    holding = directory.holding(CONFIRMATION)
    drawn = parts.get("interviewing_unit")
    of_unit = [contact for contact in holding if drawn is not None and contact.unit == drawn]
    if of_unit and not walled(parts):
        return of_unit
    return [each for each in holding if each.unit is None and not (walled(parts) and _commands(each, parts))]


def directors(parts: Parts, directory: Directory) -> list[Contact]:
    """Who directs the governorate; never of what complains of the officers under them."""
    return [] if walled(parts) else directory.holding([Role.PROVINCIAL_DIRECTOR])


def all_supervisors(parts: Parts, directory: Directory) -> list[Contact]:
    """Who may answer another governorate for a unit of this one."""
    return directory.holding([Role.UNIT_SUPERVISOR])


def case_workers(parts: Parts, directory: Directory) -> list[Contact]:
    """Who may handle a case, and so offer to."""
    return directory.holding(CASE_WORK)


def watchers(parts: Parts, directory: Directory) -> list[Contact]:
    """Who watches over the governorates, at a directorate."""
    return directory.holding(ANALYSIS | DIRECTIVES)


def facilitators(parts: Parts, directory: Directory) -> list[Contact]:
    return directory.in_forum(parts.get("forum_id"), [Role.FORUM_FACILITATOR])


def overseers(parts: Parts, directory: Directory) -> list[Contact]:
    """Those who answer for the forums of the whole governorate."""
    return directory.holding([Role.PROVINCIAL_DIRECTOR])


def directive_readers(parts: Parts, directory: Directory) -> list[Contact]:
    return directory.holding(ACKNOWLEDGING)


CASE: Final = "case_number"
REFERRAL: Final = "referral_number"
TRANSFER: Final = "transfer_number"
REQUEST: Final = "request_number"
NUMBER: Final = "number"

RULES: Final = (
    Rule("case_needs_triage", "case.opened.v1", "case", (supervisors,), CASE),
    Rule("case_assigned", "case.assigned.v1", "case", (handler,), CASE),
    Rule("case_closing_proposed", "case.proposed.v1", "case", (approvers,), CASE),
    Rule("case_closed", "case.closed.v1", "case", (handler,), CASE),
    Rule("case_taken_over", "case.taken_over.v1", "case", (supervisors,), CASE),
    Rule("reclassification_waiting", "reclassification.proposed.v1", "reclassification", (reclassifiers,), CASE),
    Rule("interview_drawn", "confirmation.drawn.v1", "confirmation", (interviewers,), CASE),
    Rule("assistance_unanswered", "assistance.no_answer.v1", "assistance", (handler, supervisors), CASE),
    Rule("identity_opened", "break_glass.opened.v1", "case", (supervisors, inspectors, handler), CASE),
    Rule("receipt_added", "receipt.added.v1", "case", (handler, supervisors), CASE, opens="case"),
    Rule("receipt_contested", "receipt.contested.v1", "case", (handler, supervisors), CASE, opens="case"),
    Rule("receipt_withdrawal", "receipt.withdrawal_asked.v1", "case", (handler, supervisors), CASE, opens="case"),
    Rule("referral_sent", "referral.sent.v1", "referral", (supervisors,), REFERRAL),
    Rule("referral_accepted", "referral.accepted.v1", "referral", (sender,), REFERRAL),
    Rule("referral_rejected", "referral.rejected.v1", "referral", (sender,), REFERRAL),
    Rule("referral_completed", "referral.completed.v1", "referral", (sender,), REFERRAL),
    Rule("referral_overdue", "referral.overdue.v1", "referral", (sender, supervisors), REFERRAL),
    Rule("referral_escalated", "referral.escalated.v1", "referral", (head, sender, supervisors), REFERRAL),
    Rule("referral_silent", "referral.silent.v1", "referral", (sender, supervisors, directors), REFERRAL),
    Rule("referral_expired", "referral.expired.v1", "referral", (sender, supervisors), REFERRAL),
    Rule("referral_not_completed", "referral.not_completed.v1", "referral", (sender, supervisors), REFERRAL),
    Rule("silence_reported", "silence.reported.v1", "silence", (watchers,), REFERRAL, arrives=True),
    Rule("transfer_offered", "transfer.offered.v1", "transfer", (all_supervisors,), TRANSFER, arrives=True),
    Rule("transfer_accepted", "transfer.accepted.v1", "transfer", (all_supervisors,), TRANSFER, arrives=True),
    Rule("transfer_rejected", "transfer.rejected.v1", "transfer", (all_supervisors,), TRANSFER, arrives=True),
    Rule("handler_asked", "handler_request.asked.v1", "handler_request", (case_workers,), REQUEST, arrives=True),
    Rule("handler_offered", "handler_request.offered.v1", "handler_request", (all_supervisors,), REQUEST, arrives=True),
    Rule("handler_opened", "handler_request.opened.v1", "handler_request", (case_workers,), REQUEST, arrives=True),
    Rule("action_agreed", "action.agreed.v1", "action", (facilitators,), NUMBER),
    Rule("action_overdue", "action.overdue.v1", "action", (facilitators,), NUMBER),
    Rule("forum_at_risk", "forum.at_risk.v1", "forum", (facilitators, overseers), NUMBER),
    Rule("forum_dormant", "forum.dormant.v1", "forum", (facilitators, overseers), NUMBER),
    Rule("directive_issued", "directive.issued.v1", "directive", (directive_readers,), arrives=True),
)

BY_TYPE: Final[Mapping[tuple[str, bool], tuple[Rule, ...]]] = {
    (rule.on, rule.arrives): tuple(each for each in RULES if (each.on, each.arrives) == (rule.on, rule.arrives))
    for rule in RULES
}


SHOWN_TO: Final[Mapping[str, frozenset[Role]]] = {
    **dict.fromkeys(("case", "handler_request", "referral", "transfer", "assistance"), CASE_READ | ANSWER_BY_CODE),
    "reclassification": RECLASSIFICATION_READ,
    "confirmation": CONFIRMATION,
}


def _may_know_of_it(contact: Contact, about: str) -> bool:
    """Whether the case service would show this account any of its kind: a case may be assigned to anybody's id by
    mistake. A referral partner is shown the one referral that it was asked."""
    return contact.has(*SHOWN_TO[about]) and not contact.has(*CASE_BARRED)


def _hushed(parts: Parts, recipients: Recipients) -> bool:
    """Whether those whom a case names might be among these recipients: then its handler alone is told. The others who
    may see it have it in their lists."""
    return parts.get("quiet") is True and recipients is not handler


def _draft(rule: Rule, contact: Contact, subject: str, parts: Parts) -> Draft:
    reference = parts.get(rule.reference) if rule.reference else None
    return Draft(contact.account_id, rule.name, rule.about, parts[rule.opens] if rule.opens else subject, reference)


def concerns(fact_type: str, *, arrived: bool = False) -> bool:
    """Whether any rule is about facts of this type."""
    return (fact_type, arrived) in BY_TYPE


def notifications(
    fact_type: str, subject: str, parts: Parts, directory: Directory, *, arrived: bool = False
) -> list[Draft]:
    """Whom to tell what. `parts`: the statistical and operational values of the fact, together.

    `arrived`: the fact came from another node. A field that a fact does not show (a restricted category) is not there,
    and then nobody is found by it.
    """
    if fact_type.startswith("forum."):
        parts = {**parts, "forum_id": subject}
    drafts = [
        _draft(rule, contact, subject, parts)
        for rule in BY_TYPE.get((fact_type, arrived), ())
        for recipients in rule.to
        for contact in recipients(parts, directory)
        if rule.about not in SHOWN_TO or (_may_know_of_it(contact, rule.about) and not _hushed(parts, recipients))
    ]
    return list({(draft.account_id, draft.rule): draft for draft in drafts}.values())
