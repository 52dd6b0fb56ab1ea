"""Transfers of a case between governorates: what can be asked, what is shown, what one node tells the other.

| door | request | answer | group | API |
|---|---|---|---|---|
| `propose_transfer` | ProposeTransfer | TransferView | REFERRAL_WRITE | POST /cases/{case_id}/transfers |
| `send_transfer` | SendTransfer | TransferView | TRANSFER | POST /transfers/{transfer_id}/send |
| `accept_transfer` | AcceptTransfer | TransferView | TRANSFER | POST /transfers/{transfer_id}/accept |
| `reject_transfer` | RejectTransfer | TransferView | TRANSFER | POST /transfers/{transfer_id}/reject |
| `revoke_transfer` | RevokeTransfer | TransferView | TRANSFER | POST /transfers/{transfer_id}/revoke |
| `release_transfer` | ReleaseTransfer | TransferView | TRANSFER | POST /transfers/{transfer_id}/release |
| `release_again` | ReleaseAgain | TransferView | TRANSFER | POST /transfers/{transfer_id}/release-again |
| `list_transfers` | TransferQuery | TransferPage | TRANSFER | GET /transfers |

Sender and receiver each keep a row of their own. What they tell each other is relayed by the directorates: in the clear
stands only what carries it there; preview and case are sealed to the receiver.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.referrals import ReferralConsent
from contracts.case.shapes import NOTE, known, shown, shown_instant, shown_text
from contracts.case.words import Category, HandlerPreference, Language, RecordingClass, Risk
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c0, c1, c4


class Side(StrEnum):
    """Which end of a transfer a row is."""

    SENDER = "sender"
    RECEIVER = "receiver"


class TransferStatus(StrEnum):
    """`sent`: the receiver has a preview without identity. `released`: given away, not yet taken in."""

    PROPOSED = "proposed"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RELEASED = "released"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"


class TransferEvent(StrEnum):
    """What one side tells the other."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RELEASED = "released"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"


class TransferRejection(StrEnum):
    """Why a governorate does not take a case."""

    PERSON_NOT_HERE = "person_not_here"
    NO_CAPACITY = "no_capacity"
    NO_FITTING_HANDLER = "no_fitting_handler"
    UNSAFE_HERE = "unsafe_here"
    OTHER = "other"


class ProposeTransfer(Strict):
    """Propose that another governorate goes on with a case."""

    case_id = c1(Id(required=True))
    to = c1(Text(max=64, required=True, metadata={"description": "id of the governorate's node"}))
    consent = c1(known(ReferralConsent, required=True))
    override_reason = c4(Text(min=5, max=NOTE, multiline=True, load_default=None, allow_none=True))
    text = c4(Text(max=NOTE, multiline=True, required=True, metadata={"description": "why it should go there"}))

    @validates_schema
    def _reasoned(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data.get("consent") is ReferralConsent.OVERRIDDEN) != (data.get("override_reason") is not None):
            raise ValidationError("Needed when consent is overridden, and only then.", "override_reason")


class TransferMove(Strict):
    """A step of one transfer."""

    transfer_id = c1(Id(required=True))
    version = c1(fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1)))


class SendTransfer(TransferMove):
    """Offer it, with a preview that names nobody; by somebody other than who proposed it."""


class AcceptTransfer(TransferMove):
    """Take it into one's own unit, once it is released."""


class RejectTransfer(TransferMove):
    """Do not take it."""

    reason = c1(known(TransferRejection, required=True))


class RevokeTransfer(TransferMove):
    """Take the offer back, before it is released."""


class ReleaseTransfer(TransferMove):
    """Give the case away: from now on it is read-only here. This cannot be taken back."""


class ReleaseAgain(TransferMove):
    """Seal it once more, under the key that the receiver has now, when what was released cannot be opened there."""


class TransferQuery(PageQuery):
    """Transfers from and to this governorate."""

    status = c1(known(TransferStatus, load_default=None, allow_none=True))


def _word(words: type[StrEnum], *, empty: bool = False) -> fields.String:
    """A word as it stands in a document that another node wrote."""
    return fields.String(required=True, allow_none=empty, validate=validate.OneOf([word.value for word in words]))


class PreviewView(Strict):
    """What a governorate sees of a case that is offered: enough to say whether it can take it, nobody's identity."""

    category = c1(_word(Category))
    current_class = c1(_word(RecordingClass))
    risk = c1(_word(Risk, empty=True))
    language = c1(_word(Language))
    interpreter = c1(fields.Boolean(required=True))
    handler_preference = c1(_word(HandlerPreference))
    minors = c1(fields.Boolean(required=True))
    parties = c1(fields.Integer(required=True))
    notes = c1(fields.Integer(required=True))
    reported_on = c1(shown_text())


class TransferView(Strict):
    """A transfer as this side knows it. `case_id`: where the case is, or was, here. `parts`: of how many the
    release is; `parts_here`: how many of them the receiver has."""

    id = c1(shown_text())
    number = c1(shown_text())
    version = c1(fields.Integer(required=True))
    side = c1(shown(Side))
    status = c1(shown(TransferStatus))
    case_id = c1(shown_text(empty=True))
    sender = c0(shown_text())
    receiver = c0(shown_text())
    consent = c1(shown(ReferralConsent, empty=True))
    preview = c1(fields.Nested(PreviewView, required=True, allow_none=True))
    reject_reason = c1(shown(TransferRejection, empty=True))
    created_at = c1(shown_instant())
    expires_at = c1(shown_instant(empty=True))
    decided_at = c1(shown_instant(empty=True))
    released_at = c1(shown_instant(empty=True))
    received_at = c1(shown_instant(empty=True))
    parts = c1(fields.Integer(required=True, allow_none=True))
    parts_here = c1(fields.Integer(required=True, allow_none=True))


class TransferPage(Strict):
    items = c1(fields.List(fields.Nested(TransferView), required=True))
    next = c1(shown_text(empty=True))


class TransferFact(FactSchema):
    """`transfer.<event>.v1`: what one governorate tells another of a transfer, relayed by the directorates.

    In the clear stands what relaying needs. Sealed to the receiver: with `offered` the preview, with `released` the
    whole case, in as many of these facts as it needs. Whatever the category is, this says nothing of it."""

    kind = "transfer"
    events = tuple(event.value for event in TransferEvent)
    between_governorates = True

    month = statistical(fields.String(required=True, metadata={"description": "of this step, in Baghdad"}))
    transfer_number = operational(fields.String(required=True))
    sender = operational(fields.String(required=True, metadata={"description": "node id"}))
    receiver = operational(fields.String(required=True, metadata={"description": "node id"}))
    owner_epoch = operational(fields.Integer(allow_none=True, metadata={"description": "of the case, once released"}))
    expires_at = operational(fields.AwareDateTime(allow_none=True))
    reject_reason = operational(known(TransferRejection, allow_none=True))
