"""Digits as people write them: western 0-9, Arabic-Indic ٠-٩ (U+0660) and Persian ۰-۹ (U+06F0)."""

from typing import Any

from marshmallow import fields

_WESTERN = {ord(zero) + digit: str(digit) for zero in "٠۰" for digit in range(10)}


def western(text: str) -> str:
    """`text` with every Arabic-Indic and Persian digit as 0-9; nothing else is changed."""
    return text.translate(_WESTERN)


class Digits(fields.String):
    """A code of `length` digits, in any of the three scripts, with spaces or hyphens anywhere; read as 0-9 alone."""

    default_error_messages = {"digits": "Must be {length} digits."}  # noqa: RUF012 - marshmallow's own name and shape

    def __init__(self, *, length: int, **options: Any) -> None:
        self.length = length
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if len(text) > 4 * self.length:
            raise self.make_error("digits", length=self.length)
        digits = western(text).replace(" ", "").replace("-", "")
        if len(digits) != self.length or not (digits.isascii() and digits.isdigit()):
            raise self.make_error("digits", length=self.length)
        return digits
