"""E-mail before and after the conversation with the mail server: taken up in one transaction, settled in another.

Between the two nothing is locked. A process that dies there leaves the e-mail `sending`; when its lease has run out it
is taken up again as `unconfirmed`, with the same Message-ID: it may go out twice, it does not vanish.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from kernel.errors import MoveRefused, NotFound, refuse
from kernel.paging import Page, page
from services.notify.model import LEASE, Cause, DeliveryState, Outcome, Parcel, Retries, after
from services.notify.tables import ContactRow, DeliveryRow, NotificationRow

OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)
REPLAYABLE = (DeliveryState.DEAD, DeliveryState.DROPPED)


class DeliveryNotFound(NotFound):
    """There is no e-mail {subject}."""

    code = "delivery_not_found"


def take_next(session: Session, *, retries: Retries, now: datetime) -> Parcel | DeliveryRow | None:
    """Take up the e-mail that is longest due, in the caller's write transaction.

    A parcel is to be sent and then settled. A row was ended without an attempt (nobody to send it to, or lost too
    often). None: nothing is due. Two processes never take up the same e-mail at once.
    """
    due = select(DeliveryRow).where(DeliveryRow.state.in_(OPEN), DeliveryRow.next_at <= now)
    row = session.scalars(
        due.order_by(DeliveryRow.next_at, DeliveryRow.id).limit(1).with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    lost = row.state == DeliveryState.SENDING
    if lost and row.attempts > len(retries):
        return _end(row, DeliveryState.DEAD, Cause.UNCONFIRMED)
    notification = session.get_one(NotificationRow, row.notification_id)
    contact = session.get(ContactRow, notification.account_id)
    if contact is None or not contact.active:
        return _end(row, DeliveryState.DROPPED, Cause.ACCOUNT_INACTIVE)
    if contact.email is None:
        return _end(row, DeliveryState.DROPPED, Cause.NO_ADDRESS)
    row.state = DeliveryState.SENDING
    row.cause = Cause.UNCONFIRMED if lost else row.cause
    row.attempts += 1
    row.next_at = now + LEASE
    return Parcel(
        delivery_id=row.id,
        attempt=row.attempts,
        message_id=row.message_id,
        address=contact.email,
        language=contact.language,
        rule=notification.rule,
        reference=notification.reference,
        created_at=notification.created_at,
    )


def settle(session: Session, parcel: Parcel, outcome: Outcome, *, retries: Retries, now: datetime) -> DeliveryRow:
    """Write down what became of an attempt. An attempt whose lease was lost settles only by having succeeded."""
    row = session.get_one(DeliveryRow, parcel.delivery_id, with_for_update=True)
    overtaken = row.state != DeliveryState.SENDING or row.attempts != parcel.attempt
    if overtaken and not (outcome.sent and row.state in OPEN):
        return row
    standing = after(outcome, parcel.attempt, now, retries=retries)
    row.state, row.next_at = standing.state, standing.next_at
    row.cause, row.reply = outcome.cause, outcome.reply
    row.sent_at = now if outcome.sent else None
    return row


def replay_delivery(session: Session, delivery_id: str, *, now: datetime) -> DeliveryRow:
    """Let a dead or dropped e-mail begin its attempts again. Raises `DeliveryNotFound`, `MoveRefused`."""
    row = session.get(DeliveryRow, delivery_id, with_for_update=True) or refuse(DeliveryNotFound, subject=delivery_id)
    if row.state not in REPLAYABLE:
        raise MoveRefused(subject="e-mail", current=row.state, target=DeliveryState.WAITING, possible="nothing by hand")
    row.state, row.attempts, row.next_at = DeliveryState.WAITING, 0, now
    return row


def list_deliveries(session: Session, *, state: str, limit: int, after: str | None) -> Page[DeliveryRow]:
    """One page of the e-mails in one state, newest first."""
    statement = select(DeliveryRow).where(DeliveryRow.state == state)
    return page(session, statement, key=DeliveryRow.id, limit=limit, after=after, descending=True)


def rules_of(session: Session, rows: list[DeliveryRow]) -> dict[str, str]:
    """By which rule each e-mail was written, by its notification's id."""
    ids = [row.notification_id for row in rows]
    found = session.execute(select(NotificationRow.id, NotificationRow.rule).where(NotificationRow.id.in_(ids)))
    return {row.id: row.rule for row in found}


def count_dead(session: Session) -> int:
    """How many e-mails wait for an operator."""
    dead = select(func.count()).select_from(DeliveryRow).where(DeliveryRow.state == DeliveryState.DEAD)
    return int(session.scalar(dead) or 0)


def _end(row: DeliveryRow, state: DeliveryState, cause: Cause) -> DeliveryRow:
    row.state, row.cause, row.reply, row.next_at = state, cause, None, None
    return row
