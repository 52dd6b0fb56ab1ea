"""Lists: bounded, stable in order while rows are added, continued by an opaque cursor."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from marshmallow import fields, validate
from sqlalchemy import Select
from sqlmodel import Session

from kernel.errors import BadInput
from kernel.schema import Strict, Text, c0

Row = TypeVar("Row")
MOST = 200
USUAL = 50


class PageQuery(Strict):
    """What a list takes besides its filters."""

    limit = c0(
        fields.Integer(
            load_default=USUAL,
            validate=validate.Range(1, MOST),
            metadata={"description": "how many items at the most"},
        )
    )
    after = c0(Text(max=200, load_default=None, allow_none=True, metadata={"description": "`next` of the page before"}))


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some items in order, and the cursor of what follows (None at the end)."""

    items: list[Row]
    next: str | None


def page(
    session: Session,
    statement: Select[Any],
    *,
    key: Any,
    limit: int,
    after: str | None,
    descending: bool = False,
) -> Page[Any]:
    """One page of `statement`, ordered by `key`: a unique column, usually the UUIDv7 id. Raises `BadInput`."""
    if after is not None:
        place = _read_cursor(after, key.type.python_type)
        statement = statement.where(key < place if descending else key > place)
    statement = statement.order_by(key.desc() if descending else key).limit(limit + 1)
    rows = list(session.scalars(statement).all())
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, cursor(getattr(rows[-1], key.key)) if more else None)


def cursor(value: Any) -> str:
    """The opaque form of a place in a list."""
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def _read_cursor(text: str, kind: type) -> Any:
    try:
        written = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        place = kind(written)
        if not written.isprintable() or (isinstance(place, int) and abs(place) >= 2**63):
            raise ValueError("no database can look for that")
        return place
    except (binascii.Error, ValueError) as error:
        raise BadInput("The cursor in `after` is not one that this list gave.", where={"after": text}) from error
