"""A handler from anywhere: when nobody at the node is whom the person asked to speak to.

| door | request | answer | group | API |
|---|---|---|---|---|
| `ask_for_handler` | AskForHandler | HandlerRequestView | SUPERVISION | POST /cases/{case_id}/handler-requests |
| `list_handler_requests` | HandlerRequestQuery | HandlerRequestPage | HANDLER_REQUEST | GET /handler-requests |
| `offer_to_handle` | OfferToHandle | HandlerRequestView | CASE_WORK | POST …/offer |
| `open_to_handler` | OpenToHandler | HandlerRequestView | SUPERVISION | POST …/open |
| `read_as_handler` | ReadAsHandler | HandledCaseView | CASE_WORK | POST …/read |
| `note_as_handler` | NoteAsHandler | HandlerRequestView | CASE_WORK | POST …/notes |
| `close_handler_request` | CloseHandlerRequest | HandlerRequestView | SUPERVISION | POST …/close |

`…` stands for `/handler-requests/{request_id}`.

The request says the group of the category, the language and the urgency, and nobody's identity; it is sealed to each
governorate asked. One named user offers herself. Then a supervisor of the case opens it to her alone, for a limited
time. The home node keeps the case and the count; what she writes is a note of the case there.
"""

from enum import StrEnum

from marshmallow import fields, validate

from contracts.case.shapes import NOTE, known, shown, shown_instant, shown_text
from contracts.case.words import CategoryGroup, HandlerPreference, Language, Sex, Urgency
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c0, c1, c2, c3, c4


class RequestSide(StrEnum):
    """Whose row it is: the node that owns the case, or one that was asked."""

    HOME = "home"
    HELPER = "helper"


class RequestStatus(StrEnum):
    """`offered`: somebody offered herself. `opened`: the case is open to her, until time is over or it is closed."""

    ASKED = "asked"
    OFFERED = "offered"
    OPENED = "opened"
    CLOSED = "closed"


class RequestEvent(StrEnum):
    """What one node tells the other."""

    ASKED = "asked"
    OFFERED = "offered"
    OPENED = "opened"
    NOTED = "noted"
    CLOSED = "closed"


class AskForHandler(Strict):
    """Ask other governorates for a handler who is whom the person wants to speak to."""

    case_id = c1(Id(required=True))
    urgency = c1(known(Urgency, required=True))
    governorates = c1(
        fields.List(
            Text(max=64),
            load_default=list,
            validate=validate.Length(max=50),
            metadata={"description": "node ids; default: every other governorate whose sealing key is here"},
        )
    )


class HandlerRequestQuery(PageQuery):
    """Requests of this node, and those that it was asked."""

    status = c1(known(RequestStatus, load_default=None, allow_none=True))


class HandlerRequestName(Strict):
    """One request."""

    request_id = c1(Id(required=True))


class OfferToHandle(HandlerRequestName):
    """Offer oneself. The name goes, sealed, to the home node only."""

    fits_preference = c1(
        fields.Boolean(
            required=True, validate=validate.Equal(True), metadata={"description": "one is who was asked for"}
        )
    )


class OpenToHandler(HandlerRequestName):
    """Open the case to the one who offered herself first, or to the one of this node."""

    helper = c1(Text(max=64, load_default=None, allow_none=True, metadata={"description": "node id"}))


class ReadAsHandler(HandlerRequestName):
    """The case, for the one it is open to. Each reading is in the audit log of her node."""


class NoteAsHandler(HandlerRequestName):
    """Write down what was said or done; it becomes a note of the case at its home."""

    text = c4(Text(max=NOTE, multiline=True, required=True))


class CloseHandlerRequest(HandlerRequestName):
    """Nobody else is to answer, and nobody reads the case any more from elsewhere."""


class OfferView(Strict):
    """Somebody who offered herself."""

    helper = c0(shown_text())
    name = c2(shown_text())
    offered_at = c1(shown_instant())


class HandlerRequestView(Strict):
    """A request as this node knows it. `case_id` and `offers` at the home node only."""

    id = c1(shown_text())
    number = c1(shown_text())
    side = c1(shown(RequestSide))
    status = c1(shown(RequestStatus))
    home = c0(shown_text())
    helper = c0(shown_text(empty=True))
    case_id = c1(shown_text(empty=True))
    category_group = c1(shown(CategoryGroup))
    language = c1(shown(Language))
    urgency = c1(shown(Urgency))
    handler_preference = c1(shown(HandlerPreference))
    asked_at = c1(shown_instant())
    open_until = c1(shown_instant(empty=True))
    offers = c2(fields.List(fields.Nested(OfferView), required=True))


class HandlerRequestPage(Strict):
    items = c2(fields.List(fields.Nested(HandlerRequestView), required=True))
    next = c1(shown_text(empty=True))


class HandledPartyView(Strict):
    """Someone in the case."""

    role = c1(shown_text())
    name = c3(shown_text(empty=True))
    sex = c3(fields.Enum(Sex, by_value=True, required=True))
    birth_date = c3(shown_text(empty=True))
    age = c3(fields.Integer(required=True, allow_none=True))
    phone = c3(shown_text(empty=True))
    address = c3(shown_text(empty=True))


class HandledNoteView(Strict):
    """A text of the case."""

    kind = c1(shown_text())
    text = c4(shown_text())
    written_at = c1(shown_instant())


class HandledCaseView(Strict):
    """A case of another governorate, as it was when it was opened."""

    number = c1(shown_text())
    category = c1(shown_text())
    open_until = c1(shown_instant())
    parties = c3(fields.List(fields.Nested(HandledPartyView), required=True))
    narrative = c4(shown_text(empty=True))
    place = c3(shown_text(empty=True))
    texts = c4(fields.List(fields.Nested(HandledNoteView), required=True))


class HandlerRequestFact(FactSchema):
    """`handler_request.<event>.v1`: what the home of a case and a governorate that was asked tell each other.

    Sealed: with `asked` the group of the category, language and urgency; with `offered` the name; with `opened` the
    case; with `noted` the text."""

    kind = "handler_request"
    events = tuple(event.value for event in RequestEvent)
    between_governorates = True

    month = statistical(fields.String(required=True, metadata={"description": "of this step, in Baghdad"}))
    request_number = operational(fields.String(required=True))
    home = operational(fields.String(required=True, metadata={"description": "node id"}))
    helper = operational(fields.String(required=True, metadata={"description": "node id"}))
    open_until = operational(fields.AwareDateTime(allow_none=True))
