"""Shapes at the borders: strict schemas, bounded text, and how sensitive each field is.

Every field of a request or a view says its class (C0 public … C4 special); a test refuses a field that does not.
"""

import unicodedata
from datetime import date
from typing import Any, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

AnyField = TypeVar("AnyField", bound=fields.Field)

# Bidirectional embeddings, overrides and isolates reorder what a person reads (Unicode UAX #9, "Trojan Source").
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ALLOWED_CONTROLS = frozenset("\n\t")
FIRST_YEAR, LAST_YEAR = 1900, 2199  # nobody in a record is older, and no date in one is further ahead


class Strict(Schema):
    """A request or view: an unknown field is an error, not something to drop."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """Bounded text in Unicode NFC, trimmed, without control characters or bidirectional overrides."""

    def __init__(self, *, max: int, min: int = 1, multiline: bool = False, **options: Any) -> None:
        checks = [validate.Length(min=min, max=max), *_as_list(options.pop("validate", None))]
        self.multiline = multiline
        super().__init__(validate=checks, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = unicodedata.normalize("NFC", super()._deserialize(value, attr, data, **options)).strip()
        if text.isprintable():  # no control, no separator but the space: most texts, quickly
            return text
        allowed = ALLOWED_CONTROLS if self.multiline else frozenset()
        for character in text:
            if character in BIDI_CONTROLS:
                raise ValidationError(f"Must not contain the bidirectional control U+{ord(character):04X}.")
            if unicodedata.category(character) in ("Cc", "Cs", "Cn") and character not in allowed:
                raise ValidationError(f"Must not contain the control character U+{ord(character):04X}.")
        return text


class Id(fields.UUID):
    """An entity id: UUID as canonical lower-case text, in Python and in JSON."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **options))


def _in_these_centuries(when: date) -> None:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise ValidationError(f"Must be in a year from {FIRST_YEAR} to {LAST_YEAR}.")


class Day(fields.Date):
    """A calendar day that a person can mean."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=[_in_these_centuries, *_as_list(options.pop("validate", None))], **options)


class Instant(fields.AwareDateTime):
    """An instant with its time zone that a person can mean; far enough from the ends of time to be moved to another."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=[_in_these_centuries, *_as_list(options.pop("validate", None))], **options)


def _as_list(checks: Any) -> list[Any]:
    if checks is None:
        return []
    return list(checks) if isinstance(checks, list | tuple) else [checks]


def _classed(field: AnyField, sensitivity: str) -> AnyField:
    field.metadata = {**field.metadata, "sensitivity": sensitivity}
    return field


def c0(field: AnyField) -> AnyField:
    """Public."""
    return _classed(field, "C0")


def c1(field: AnyField) -> AnyField:
    """About the work, about nobody."""
    return _classed(field, "C1")


def c2(field: AnyField) -> AnyField:
    """About staff and members."""
    return _classed(field, "C2")


def c3(field: AnyField) -> AnyField:
    """Identifies a party."""
    return _classed(field, "C3")


def c4(field: AnyField) -> AnyField:
    """Special: narratives, evidence, health, minors, safe contact."""
    return _classed(field, "C4")
