"""What the requests and views of the case service are made of."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from kernel.schema import Id, Strict, Text, c1, c4

NOTE = 8_000
REASON = 500


def known(words: Any, **options: Any) -> fields.Enum:
    """A word of a closed list."""
    return fields.Enum(words, by_value=True, **options)


def version() -> fields.Integer:
    """The version that the caller saw."""
    note = {"description": "the version you saw; refused with both if the record has moved on"}
    checked = validate.Range(min=1)
    return c1(fields.Integer(strict=True, load_default=None, allow_none=True, validate=checked, metadata=note))


def reason() -> Text:
    """Why identity is read."""
    note = {"description": "why identity is read by someone who does not handle the case; kept in the audit log"}
    return c4(Text(min=5, max=REASON, load_default=None, allow_none=True, metadata=note))


def told(says: str | None = None, *, required: bool = True) -> Text:
    """Free text about a case: kept among its notes, in no fact."""
    note = {"description": says} if says else {}
    if required:
        return c4(Text(max=NOTE, multiline=True, required=True, metadata=note))
    return c4(Text(max=NOTE, multiline=True, load_default=None, allow_none=True, metadata=note))


def must_be_true(value: bool) -> None:
    """A validator: what has to be done before a step."""
    if not value:
        raise ValidationError("Must have been done before this step.")


def shown(words: Any, *, empty: bool = False) -> fields.Enum:
    """A word in a view."""
    return fields.Enum(words, by_value=True, required=True, allow_none=empty)


def shown_text(*, empty: bool = False) -> fields.String:
    """A text in a view."""
    return fields.String(required=True, allow_none=empty)


def shown_instant(*, empty: bool = False) -> fields.AwareDateTime:
    """An instant in a view."""
    return fields.AwareDateTime(required=True, allow_none=empty)


class OfCase(Strict):
    """Something done to a case."""

    case_id = c1(Id(required=True))
    version = version()
