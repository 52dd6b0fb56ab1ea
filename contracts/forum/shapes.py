"""Fields that many requests and views of the forum service share. Each caller adds the sensitivity mark."""

from datetime import date
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from kernel.schema import Id

MAX_PEOPLE = 5000  # the largest gathering a forum has reported is in the hundreds
EARLIEST = 1990  # older than any list of members; a mistyped year is no date of a forum
LATEST = 2100


def _optional(options: dict[str, Any]) -> dict[str, Any]:
    """A request field that may be left out is null then, unless it has a default of its own."""
    if options.get("required") or "load_default" in options:
        return options
    return {"load_default": None, "allow_none": True, **options}


def _in_living_memory(when: date) -> None:
    if not EARLIEST <= when.year <= LATEST:
        raise ValidationError(f"Must be in a year from {EARLIEST} to {LATEST}.")


def an_id(description: str, **options: Any) -> Id:
    """An id that must be given."""
    return Id(required=True, metadata={"description": description}, **options)


def maybe_id(description: str) -> Id:
    """An id that may be left out."""
    return Id(load_default=None, allow_none=True, metadata={"description": description})


def choice(words: type[StrEnum], description: str, **options: Any) -> fields.Enum[Any]:
    """One word of a closed list, by its code."""
    return fields.Enum(words, by_value=True, metadata={"description": description}, **_optional(options))


def whole(low: int, high: int, description: str, **options: Any) -> fields.Integer:
    """A whole number between two bounds, both allowed; text and fractions are refused."""
    check = validate.Range(low, high)
    return fields.Integer(strict=True, validate=check, metadata={"description": description}, **_optional(options))


def day(description: str, **options: Any) -> fields.Date:
    """A calendar day, as people in Baghdad count it."""
    return fields.Date(validate=_in_living_memory, metadata={"description": description}, **_optional(options))


def moment(description: str, **options: Any) -> fields.AwareDateTime:
    """An instant with its time zone."""
    metadata = {"description": description}
    return fields.AwareDateTime(validate=_in_living_memory, metadata=metadata, **_optional(options))


def flag(description: str, **options: Any) -> fields.Boolean:
    """Yes or no."""
    return fields.Boolean(metadata={"description": description}, **_optional(options))
