"""Erasing what identifies people because a person asks for it, and holding it because an authority needs it.

The key of the case is destroyed; that the case was, its number, both classes and its count remain (docs/identity.md).

| door | request | answer | group | API |
|---|---|---|---|---|
| `request_erasure` | RequestErasure | ErasureView | CASE_STEPS | POST /cases/{case_id}/erasures |
| `list_erasures` | ErasureQuery | ErasurePage | ERASURE_READ | GET /erasures |
| `approve_erasure` | DecideErasure | ErasureView | ERASURE_APPROVAL | POST /erasures/{erasure_id}/approve |
| `refuse_erasure` | RefuseErasure | ErasureView | ERASURE_APPROVAL | POST /erasures/{erasure_id}/refuse |
| `place_hold` | PlaceHold | HoldView | ERASURE_APPROVAL | POST /cases/{case_id}/holds |
| `lift_hold` | LiftHold | HoldView | ERASURE_APPROVAL | POST /holds/{hold_id}/lift |
"""

from enum import StrEnum

from marshmallow import fields

from contracts.case.shapes import OfCase, known, must_be_true, shown, shown_instant, shown_text, told, version
from contracts.case.words import Answer, AskedBy
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, c1, c2


class ErasureStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"


class ErasureRefusal(StrEnum):
    """Why identity is not erased although somebody asked."""

    NOT_THEIR_WISH = "not_their_wish"
    UNDER_PRESSURE = "under_pressure"
    NEEDED_FOR_SAFETY = "needed_for_safety"
    OTHERS_CONCERNED = "others_concerned"
    OTHER = "other"


class RequestErasure(OfCase):
    """Write down that a person of the case asks for it. Their identity was checked against the case."""

    asked_by = c1(known(AskedBy, required=True))
    alone = c1(known(Answer, required=True))
    pressure = c1(known(Answer, required=True))
    identity_checked = c1(fields.Boolean(required=True, validate=must_be_true))
    text = told("what they said; erased with the rest")


class DecideErasure(Strict):
    """Erase it, for good."""

    erasure_id = c1(Id(required=True))
    version = version()


class RefuseErasure(DecideErasure):
    """Do not erase it."""

    refusal = c1(known(ErasureRefusal, required=True))


class ErasureQuery(PageQuery):
    """Requests in cases that the caller may decide or works on, oldest first."""

    status = c1(known(ErasureStatus, load_default=None, allow_none=True))


class ErasureView(Strict):
    """A request, and what became of it. What was said is a text of the case, and gone once it is approved."""

    id = c1(shown_text())
    version = c1(fields.Integer(required=True))
    case_id = c1(shown_text())
    case_number = c1(shown_text())
    status = c1(shown(ErasureStatus))
    asked_by = c1(shown(AskedBy))
    alone = c1(shown(Answer))
    pressure = c1(shown(Answer))
    refusal = c1(shown(ErasureRefusal, empty=True))
    requested_by = c2(shown_text())
    requested_at = c1(shown_instant())
    decided_by = c2(shown_text(empty=True))
    decided_at = c1(shown_instant(empty=True))


class ErasurePage(Strict):
    items = c1(fields.List(fields.Nested(ErasureView), required=True))
    next = c1(shown_text(empty=True))


class PlaceHold(OfCase):
    """Keep what identifies people, because a court, a prosecutor or an inquiry needs it; somebody else lifts it."""

    text = told("who needs it, and for what")


class LiftHold(Strict):
    """It is needed no longer. Not by who placed it."""

    hold_id = c1(Id(required=True))
    version = version()


class HoldView(Strict):
    """A legal hold of a case."""

    id = c1(shown_text())
    version = c1(fields.Integer(required=True))
    case_id = c1(shown_text())
    placed_by = c2(shown_text())
    placed_at = c1(shown_instant())
    lifted_by = c2(shown_text(empty=True))
    lifted_at = c1(shown_instant(empty=True))
