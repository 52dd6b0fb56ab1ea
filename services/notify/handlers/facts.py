"""What happened, made into notifications. Each fact once, whether the broker brought it or the sync service was asked.

What happened long ago is not news: nobody acts on it, and a restored database must not flood every inbox. Nor is it
worth an e-mail, whose retries take as long. How long that is, the rules of the node say. Directives are exempt,
because a link may be cut for weeks.

The consumer's inbox and the effect are one commit. A fact that no rule is about leaves no trace here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session

from contracts.notify import AcknowledgementFact, DirectiveFact
from contracts.rules import NotifyRules
from kernel import inbox
from kernel.clock import parse
from kernel.errors import BadInput
from kernel.fact import Fact
from kernel.ids import new_id
from services.notify import rules
from services.notify.handlers.contacts import directory
from services.notify.model import DeliveryState, Draft
from services.notify.tables import AcknowledgementRow, ContactRow, DeliveryRow, DirectiveRow, NotificationRow

CONSUMER: Final = "notify"

DIRECTIVE_ISSUED: Final = "directive.issued.v1"
ACKNOWLEDGEMENT_GIVEN: Final = "acknowledgement.given.v1"


def take_fact(
    session: Session, fact: Fact, *, node: str, mails: bool, policy: NotifyRules, now: datetime
) -> list[NotificationRow]:
    """Notify of a fact of this node; return what was made, nothing for a repeat. `mails`: there is a mail server."""
    parts = _parts(fact)
    happened = _instant(parts, now)
    if (
        not rules.concerns(fact.type)
        or now - happened > policy.news
        or not inbox.first_time(session, CONSUMER, fact.id)
    ):
        return []
    drafts = rules.notifications(fact.type, fact.subject, parts, directory(session))
    return _make(session, drafts, fact.id, node=node, mails=mails and now - happened <= policy.letter, now=now)


def take_arrival(
    session: Session, fact: Fact, *, origin: str, node: str, mails: bool, now: datetime
) -> list[NotificationRow]:
    """Keep a directive or an acknowledgement that another node addressed to this one, and notify of it.

    Raises `BadInput` when its parts are not of their published shape; then nothing was kept.
    """
    keep = {DIRECTIVE_ISSUED: _keep_directive, ACKNOWLEDGEMENT_GIVEN: _keep_acknowledgement}.get(fact.type)
    concerned = keep is not None or rules.concerns(fact.type, arrived=True)
    if not concerned or not inbox.first_time(session, CONSUMER, fact.id):
        return []
    parts = _parts(fact)
    if keep is not None:
        keep(session, fact, parts, origin, now)
    drafts = rules.notifications(fact.type, fact.subject, parts, directory(session), arrived=True)
    return _make(session, drafts, fact.id, node=node, mails=mails, now=now)


def unseen(session: Session, facts: Sequence[Fact], *, arrived: bool) -> list[Fact]:
    """Those of `facts` that somebody must be told of and that were not handled yet: a look before the transaction."""
    known = {DIRECTIVE_ISSUED, ACKNOWLEDGEMENT_GIVEN} if arrived else set()
    concerned = [fact for fact in facts if fact.type in known or rules.concerns(fact.type, arrived=arrived)]
    entry = inbox.InboxEntry
    handled = select(entry.fact_id).where(
        entry.consumer == CONSUMER, entry.fact_id.in_([fact.id for fact in concerned])
    )
    seen = set(session.scalars(handled).all())
    return [fact for fact in concerned if fact.id not in seen]


def _make(
    session: Session, drafts: Sequence[Draft], fact_id: str, *, node: str, mails: bool, now: datetime
) -> list[NotificationRow]:
    rows = [
        NotificationRow(
            id=new_id(),
            account_id=draft.account_id,
            fact_id=fact_id,
            rule=draft.rule,
            about=draft.about,
            subject=draft.subject,
            reference=draft.reference,
            created_at=now,
        )
        for draft in drafts
    ]
    session.add_all(rows)
    session.flush()
    if mails:
        session.add_all(_delivery(row, node, now) for row in rows if session.get(ContactRow, row.account_id).email)
    return rows


def _delivery(row: NotificationRow, node: str, now: datetime) -> DeliveryRow:
    identity = new_id()
    return DeliveryRow(
        id=identity,
        notification_id=row.id,
        state=DeliveryState.WAITING,
        message_id=f"<{identity}@{node}.jisr>",
        created_at=now,
        next_at=now,
    )


def _keep_directive(session: Session, fact: Fact, parts: dict[str, Any], origin: str, now: datetime) -> None:
    problems = DirectiveFact().validate(parts)
    if problems:
        raise BadInput("This directive is not of its published shape.", where=problems)
    if session.get(DirectiveRow, fact.subject) is None:
        session.add(
            DirectiveRow(
                id=fact.subject,
                origin=origin,
                title=parts["title"],
                text=parts["text"],
                governorates=list(fact.audience),
                issued_at=_instant(parts, now),
            )
        )


def _keep_acknowledgement(session: Session, fact: Fact, parts: dict[str, Any], origin: str, now: datetime) -> None:
    # A link with statistical clearance shows no operational part, so no `at`: then it counts from when it arrived.
    problems = AcknowledgementFact(partial=("at",)).validate(parts)
    if problems:
        raise BadInput("This acknowledgement is not of its published shape.", where=problems)
    if session.get(AcknowledgementRow, fact.subject) is None:
        session.add(
            AcknowledgementRow(
                id=fact.subject,
                directive_id=parts["directive"],
                node=origin,
                role=parts["role"],
                at=_instant(parts, now),
            )
        )


def _parts(fact: Fact) -> dict[str, Any]:
    return {**fact.statistical_values(), **fact.operational_values()}


def _instant(parts: dict[str, Any], otherwise: datetime) -> datetime:
    try:
        return parse(parts["at"])
    except (KeyError, TypeError, ValueError):
        return otherwise
