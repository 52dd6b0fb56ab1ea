"""A receipt: what a person without an account can do with sixteen digits, and how somebody without one reports.

The digits and the proof are made in the gateway, which gives the case service a slow hash of the one and the SHA-256 of
the other. So the case service, its database and every log never see either."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from contracts.case.requests import OpenCase, Party
from contracts.case.words import CategoryGroup
from kernel.digits import Digits, western
from kernel.fact import FactSchema, operational, statistical
from kernel.schema import Id, Strict, Text, c1, c3, c4

RECEIPT_DIGITS = 16
PROOF_SIGNS = 16
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O and U, which are read as 1 and 0 or make words."""
READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", " ": ""})
SAID = 4_000
REPORT = 8_000
MOST_REPORTED = 5
RECEIPT_EVENTS = ("issued", "voided", "added", "contested", "withdrawal_asked")


class Progress(StrEnum):
    """How a case stands, in the fewest words: whoever finds the slip learns no more."""

    RECEIVED = "received"
    IN_HAND = "in_hand"
    ENDED = "ended"


class Proof(Text):
    """The sixteen signs printed under the digits, however they were written down."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max=40, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        signs = western(super()._deserialize(value, attr, data, **options)).upper().translate(READ_AS)
        if len(signs) != PROOF_SIGNS or not set(signs) <= set(SIGNS):
            raise ValidationError(f"Must be {PROOF_SIGNS} letters and digits.")
        return signs


class IssueReceipt(Strict):
    """Give the person a receipt. It is shown once; asked again with the same Idempotency-Key, it is the same."""

    case_id = c1(Id(required=True))
    instead = c1(
        fields.Boolean(load_default=False, metadata={"description": "the ones given before were lost: they end"})
    )


class ReceiptShown(Strict):
    """The receipt, to be read aloud or written down: it opens the state of the case to whoever holds it.

    `proof` shows that the report existed: its SHA-256 stands in the journal."""

    receipt = c3(fields.String(required=True, metadata={"description": "sixteen digits in four groups"}))
    proof = c3(fields.String(required=True, metadata={"description": "sixteen letters and digits in four groups"}))


class AskState(Strict):
    """How does my case stand?"""

    receipt = c3(Digits(length=RECEIPT_DIGITS, required=True))


class StateShown(Strict):
    """In the fewest words."""

    state = c1(fields.Enum(Progress, by_value=True, required=True))


class AddByReceipt(AskState):
    """Tell more. Those who work on the case read it."""

    text = c4(Text(max=SAID, multiline=True, required=True))


class ContestByReceipt(AddByReceipt):
    """Say that it is not over: a case that was closed is taken up again."""


class WithdrawByReceipt(AskState):
    """Ask that it be dropped. Somebody speaks to you first: whether you are alone and free is asked in person."""

    text = c4(Text(max=SAID, multiline=True, load_default=None, allow_none=True))


class Report(OpenCase):
    """Report without an account, without a name or with one. What is not asked here is asked by who calls back."""

    class Meta:
        exclude = ("risk", "channel", "reported_at", "unit", "staff", "prior_resort", "pressure_reported")

    parties = c3(fields.List(fields.Nested(Party), load_default=list, validate=validate.Length(max=MOST_REPORTED)))
    narrative = c4(Text(max=REPORT, multiline=True, required=True))


def _kept() -> Mapping[str, fields.Field]:
    digest = validate.Regexp("^[0-9a-f]{64}$")
    return {name: c1(fields.String(validate=digest, required=True)) for name in ("hash", "commitment")}


class KeepReceipt(IssueReceipt):
    """What the gateway tells the case service of a receipt."""

    hash, commitment = _kept().values()


class KeepReport(Report):
    """A report with its receipt, from the gateway."""

    hash, commitment = _kept().values()


class ByReceipt(Strict):
    """What the gateway passes on from the holder of a receipt."""

    hash = _kept()["hash"]
    text = c4(Text(max=SAID, multiline=True, load_default=None, allow_none=True))


class ReceiptKept(Strict):
    """The receipt stands."""

    case_id = c1(fields.String(required=True))


class ReceiptFact(FactSchema):
    """`receipt.<event>.v1`: a receipt was given or ended, or its holder told more, contested the closing, or asked to
    withdraw. The month is that of the receipt, in Baghdad.

    `commitment` is the SHA-256 of the proof printed on it: whoever holds the slip can show that this entry, and so the
    case, existed when the journal says."""

    kind = "receipt"
    events = RECEIPT_EVENTS

    month = statistical(fields.String(required=True))
    category_group = statistical(fields.Enum(CategoryGroup, by_value=True, required=True))
    case = operational(fields.String(required=True, metadata={"description": "id of the case"}))
    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    handler = operational(fields.String(required=True, allow_none=True))
    walled = operational(fields.Boolean(required=True))
    quiet = operational(fields.Boolean(required=True, metadata={"description": "only the handler is told"}))
    commitment = operational(
        fields.String(required=True, metadata={"description": "SHA-256 of the proof, hexadecimal"})
    )


class RestrictedReceiptFact(ReceiptFact):
    """`receipt.<event>.v1` of a case of a restricted category: the same, withheld where the case is."""
