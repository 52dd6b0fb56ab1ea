"""Who works here, as the gateway tells it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from contracts.notify import GATEWAY
from contracts.roles import Role
from kernel.crypto import hashed_id
from kernel.errors import Forbidden
from kernel.identity import Actor
from services.notify.model import Contact, Directory
from services.notify.tables import ContactRow


def put_contact(
    session: Session, values: Mapping[str, Any], *, by: Actor, hash_key: bytes, now: datetime
) -> ContactRow:
    """Keep an account as it now stands. An older version than the one we hold changes nothing.

    Raises `Forbidden` for every caller but the gateway itself: an administrator's hand-made request cannot redirect
    somebody's e-mail past the account's own record.
    """
    if by.id != GATEWAY:
        raise Forbidden("Only the gateway tells notify of accounts.")
    account_id = values["account_id"]
    row = session.get(ContactRow, account_id, with_for_update=True)
    if row is not None and row.version >= values["version"]:
        return row
    if row is None:
        row = ContactRow(account_id=account_id, hash=hashed_id(hash_key, account_id))
        session.add(row)
    row.version = values["version"]
    row.roles = sorted(values["roles"])
    row.unit = values["unit"]
    row.forums = sorted(set(values["forums"]))
    row.language = values["language"]
    row.email = values["email"]
    row.active = values["active"]
    row.changed_at = now
    return row


def directory(session: Session) -> Directory:
    """The active accounts: tens to low hundreds of rows, so all of them."""
    rows = session.scalars(select(ContactRow).where(ContactRow.active).order_by(ContactRow.account_id)).all()
    return Directory(tuple(_contact(row) for row in rows))


def _contact(row: ContactRow) -> Contact:
    return Contact(
        account_id=row.account_id,
        hash=row.hash,
        roles=frozenset(Role(role) for role in row.roles),
        unit=row.unit,
        forums=frozenset(row.forums),
    )
