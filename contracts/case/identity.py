"""Identity of a case opened in an emergency, and erased at its end."""

from typing import Any

from marshmallow import ValidationError, fields

from contracts import numbers
from kernel.digits import western
from kernel.fact import FactSchema, operational
from kernel.schema import Strict, Text, c1, c4

GLASS_EVENTS = ("opened",)


class CaseNumber(Text):
    """The printed number of a case, as somebody reads it: in digits of any script, in letters of any case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max=40, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = western(super()._deserialize(value, attr, data, **options)).upper()
        if not numbers.check(text):
            raise ValidationError("This is not a case number, or one that was mistyped.")
        return text


class BreakGlass(Strict):
    """Open the identity of one case for three hours, where somebody must act at once and its handler cannot."""

    number = c1(CaseNumber(required=True))
    reason = c4(
        Text(
            min=10,
            max=500,
            required=True,
            metadata={"description": "kept in the audit log; supervisor and inspectorate are told that it was opened"},
        )
    )


class GlassView(Strict):
    """Which case is open to you, and until when."""

    case_id = c1(fields.String(required=True))
    number = c1(fields.String(required=True))
    expires_at = c1(fields.AwareDateTime(required=True))


class BreakGlassFact(FactSchema):
    """`break_glass.opened.v1`: identity of a case was opened by somebody who is not its handler, for a limited time.

    The subject is the case; the version counts its openings. `by` is the hash of an account's id. The reason stands in
    the audit log of the node and nowhere else."""

    kind = "break_glass"
    events = GLASS_EVENTS

    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    handler = operational(fields.String(required=True, allow_none=True))
    by = operational(fields.String(required=True, metadata={"description": "hash of the account's id"}))
    until = operational(fields.AwareDateTime(required=True))
