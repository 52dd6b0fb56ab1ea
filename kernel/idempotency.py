"""Ask again, get the same answer: the answer to a request is kept beside its effect, in one commit.

A client that lost an answer sends the request again with the same Idempotency-Key and gets the stored answer; nothing
happens twice. The same key with another request is refused. Answers are kept for three days (a client that was cut
off over a weekend), the newest thousand longer, in the service's own database, where the data of the answer lives
anyway.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Column, LargeBinary, String, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session

from kernel.database import KernelTable, UtcDateTime
from kernel.errors import BadInput, IdempotencyKeyReused

KEPT = timedelta(days=3)
NEWEST = 1000  # answers, kept however old: a clock that jumps ahead must not make a request new that is sent again
MAX_KEY = 128


class StoredAnswer(KernelTable, table=True):
    """A request that was carried out, and its answer."""

    __tablename__ = "stored_answer"

    actor_id: str = Field(sa_column=Column(String(64), primary_key=True))
    key: str = Field(sa_column=Column(String(MAX_KEY), primary_key=True))
    request: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    answer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


def check_key(key: str) -> str:
    """`key` if it can be one: 1 to 128 visible ASCII characters. Raises `BadInput`."""
    if not 1 <= len(key) <= MAX_KEY or not all("!" <= character <= "~" for character in key):
        raise BadInput(f"An Idempotency-Key has 1 to {MAX_KEY} visible ASCII characters, for example a UUID.")
    return key


def request_digest(door: str, body: bytes) -> bytes:
    """What tells one request from another: the door and the exact body."""
    return hashlib.sha256(door.encode() + b"\0" + body).digest()


def claim(session: Session, actor_id: str, key: str, request: bytes, *, now: datetime) -> bytes | None:
    """Claim `key` for this request in the caller's transaction.

    Returns None when the request is new, the stored answer when it was carried out before. A concurrent request with
    the same key waits for this transaction. Raises `IdempotencyKeyReused` when the key belongs to another request.
    """
    _forget_old(session, now)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    claimed = session.connection().execute(
        insert(StoredAnswer)
        .values(actor_id=actor_id, key=key, request=request, answer=b"", created_at=now)
        .on_conflict_do_nothing()
    )
    if claimed.rowcount == 1:
        return None
    stored = session.execute(
        select(StoredAnswer.request, StoredAnswer.answer).where(
            StoredAnswer.actor_id == actor_id, StoredAnswer.key == key
        )
    ).one()
    if stored.request != request:
        raise IdempotencyKeyReused()
    return bytes(stored.answer)


def _forget_old(session: Session, now: datetime) -> None:
    made = StoredAnswer.created_at
    youngest_old = select(made).order_by(made.desc()).offset(NEWEST).limit(1).scalar_subquery()
    session.connection().execute(delete(StoredAnswer).where(made < now - KEPT, made <= youngest_old))


def keep(session: Session, actor_id: str, key: str, answer: bytes) -> None:
    """Keep the answer to the request that claimed `key`, in the same transaction."""
    session.execute(
        update(StoredAnswer).where(StoredAnswer.actor_id == actor_id, StoredAnswer.key == key).values(answer=answer)
    )
