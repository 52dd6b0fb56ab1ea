"""One account's own notifications."""

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from kernel.errors import NotFound, refuse
from kernel.identity import Actor
from kernel.paging import Page, page
from services.notify.tables import NotificationRow


class NotificationNotFound(NotFound):
    """There is no notification {subject} in your inbox."""

    code = "notification_not_found"
    audited = True  # it may be in somebody else's


def list_notifications(
    session: Session, *, by: Actor, unread: bool | None, limit: int, after: str | None
) -> Page[NotificationRow]:
    """One page of the caller's inbox, newest first."""
    statement = select(NotificationRow).where(NotificationRow.account_id == by.id)
    if unread is not None:
        statement = statement.where(NotificationRow.read_at.is_(None) == unread)
    return page(session, statement, key=NotificationRow.id, limit=limit, after=after, descending=True)


def count_unread(session: Session, *, by: Actor) -> int:
    """How many notifications the caller has not read."""
    mine = NotificationRow.account_id == by.id, NotificationRow.read_at.is_(None)
    return int(session.scalar(select(func.count()).select_from(NotificationRow).where(*mine)) or 0)


def read_notification(session: Session, notification_id: str, *, by: Actor, now: datetime) -> NotificationRow:
    """Mark one of the caller's notifications read; the first time counts. Raises `NotificationNotFound`."""
    row = session.get(NotificationRow, notification_id)
    if row is None or row.account_id != by.id:
        refuse(NotificationNotFound, subject=notification_id)
    row.read_at = row.read_at or now
    return row
