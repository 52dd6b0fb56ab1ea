"""Mediation between the parties of a case: screened first, agreed to by each apart, followed up twice.

| door | request | answer | group | API |
|---|---|---|---|---|
| `propose_mediation` | ProposeMediation | MediationView | CASE_WORK | POST /cases/{case_id}/mediations |
| `list_mediations` | MediationQuery | MediationPage | CASE_READ | GET /cases/{case_id}/mediations |
| `list_follow_ups` | FollowUpQuery | MediationPage | CASE_READ | GET /follow-ups |
| `screen_mediation` | ScreenMediation | MediationView | CASE_WORK | POST /mediations/{mediation_id}/screen |
| `approve_mediation` | ApproveMediation | MediationView | CASE_APPROVAL | POST /mediations/{mediation_id}/approve |
| `hold_mediation` | HoldMediation | MediationView | CASE_WORK | POST /mediations/{mediation_id}/hold |
| `follow_up_mediation` | FollowUpMediation | MediationView | CASE_WORK | POST /mediations/{mediation_id}/follow-up |
| `report_breach` | ReportBreach | MediationView | CASE_STEPS | POST /mediations/{mediation_id}/breach |
| `stop_mediation` | StopMediation | MediationView | CASE_STEPS | POST /mediations/{mediation_id}/stop |

Consents to it are those of purpose `mediation` (`record_consent`), asked of each party without the others, after the
safety screen.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.shapes import NOTE, OfCase, known, must_be_true, shown, shown_instant, shown_text, told, version
from contracts.case.words import Answer, Category, CategoryGroup
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Day, Id, Strict, Text, c1, c2, c4

MEDIATION_EVENTS = ("proposed", "screened", "approved", "held", "followed_up", "breached", "stopped")
MAX_TERMS = 20
FOLLOW_UPS = 2


class MediationStatus(StrEnum):
    """`unsafe`: the screen found that the parties must not be brought together."""

    PROPOSED = "proposed"
    SCREENED = "screened"
    UNSAFE = "unsafe"
    AGREED = "agreed"
    NOT_AGREED = "not_agreed"
    KEPT = "kept"
    BREACHED = "breached"
    STOPPED = "stopped"


class Mediator(StrEnum):
    """Who brings the parties together; an office, never a name."""

    COMMUNITY_POLICE = "community_police"
    CASE_WORKER = "case_worker"
    FORUM = "forum"
    JOINT_COMMITTEE = "joint_committee"
    MOKHTAR = "mokhtar"
    RELIGIOUS_LEADER = "religious_leader"
    TRIBAL_LEADER = "tribal_leader"
    CIVIL_SOCIETY = "civil_society"


class StopReason(StrEnum):
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NEW_DANGER = "new_danger"
    PARTY_ABSENT = "party_absent"
    OTHER_WAY_FOUND = "other_way_found"
    OTHER = "other"


class Kept(StrEnum):
    """What a follow-up found."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_REACHED = "not_reached"


class ProposeMediation(OfCase):
    """Say between whom, and by whom. Two parties at the least."""

    parties = c1(
        fields.List(Id(), required=True, validate=validate.Length(2, 10), metadata={"description": "ids of parties"})
    )
    mediator = c1(known(Mediator, required=True))
    text = told("what is to be settled")

    @validates_schema
    def _different(self, data: Mapping[str, Any], **_: Any) -> None:
        parties = data.get("parties", [])
        if len(set(parties)) != len(parties):
            raise ValidationError("Name each party once.", "parties")


class _OfMediation(Strict):
    mediation_id = c1(Id(required=True))
    version = version()


class Screen(Strict):
    """The fixed questions of the safety screen. Asked of the affected person alone; `unknown` is not a no."""

    fear = c4(known(Answer, required=True, metadata={"description": "is anyone afraid of another party"}))
    violence_goes_on = c4(known(Answer, required=True))
    weapon_at_hand = c4(known(Answer, required=True))
    under_pressure = c4(known(Answer, required=True, metadata={"description": "to agree, by family, tribe or office"}))
    child_at_risk = c4(known(Answer, required=True))


class ScreenMediation(_OfMediation):
    """Find out whether the parties may be brought together. It comes before anybody's consent."""

    screen = c4(fields.Nested(Screen, required=True))
    asked_alone = c1(fields.Boolean(required=True, validate=must_be_true))


class ApproveMediation(_OfMediation):
    """Somebody from outside the unit lets a mediation be the only response, because the person wishes it."""

    own_wish = c1(fields.Boolean(required=True, validate=must_be_true))
    wish_heard_alone = c1(fields.Boolean(required=True, validate=must_be_true))
    text = told("the wish, in the person's words")


class Term(Strict):
    """One thing that was agreed."""

    text = c4(Text(max=NOTE, multiline=True, required=True))
    due_on = c1(Day(load_default=None, allow_none=True))


class HoldMediation(_OfMediation):
    """The parties met. With terms it is an agreement; without any it is none, and `text` says why."""

    terms = c4(fields.List(fields.Nested(Term), load_default=list, validate=validate.Length(max=MAX_TERMS)))
    text = told()


class FollowUpMediation(_OfMediation):
    """Ask whether it holds: twice, on or after the days that were set."""

    kept = c1(known(Kept, required=True))
    still_safe = c4(known(Answer, required=True))
    text = told(required=False)


class ReportBreach(_OfMediation):
    """What was agreed was not kept. A case that had ended is opened again."""

    text = told("what was not kept")


class StopMediation(_OfMediation):
    """It does not take place, or does not go on."""

    stop_reason = c1(known(StopReason, required=True))
    text = told(required=False)


class MediationQuery(PageQuery):
    """The mediations of one case, oldest first."""

    case_id = c1(Id(required=True))


class FollowUpQuery(Strict):
    """Agreements whose follow-up is due, the longest waiting first; the first `limit`, without a next page."""

    assigned_to_me = c1(fields.Boolean(load_default=False))
    until = c1(Day(load_default=None, allow_none=True, metadata={"description": "due on or before; default: today"}))
    limit = c1(fields.Integer(load_default=50, validate=validate.Range(1, 200)))


class MediationView(Strict):
    """How a mediation stands. Terms and reasons are notes of the case (`mediation`)."""

    id = c1(shown_text())
    version = c1(fields.Integer(required=True))
    case_id = c1(shown_text())
    status = c1(shown(MediationStatus))
    mediator = c1(shown(Mediator))
    parties = c1(fields.List(shown_text(), required=True))
    guarded = c1(fields.Boolean(required=True, metadata={"description": "may not be the only response unapproved"}))
    screened_at = c1(shown_instant(empty=True))
    approved_by = c2(shown_text(empty=True))
    held_at = c1(shown_instant(empty=True))
    terms = c1(fields.Integer(required=True))
    follow_ups = c1(fields.Integer(required=True, metadata={"description": "held so far"}))
    next_follow_up_on = c1(fields.Date(required=True, allow_none=True))
    stop_reason = c1(shown(StopReason, empty=True))


class MediationPage(Strict):
    items = c1(fields.List(fields.Nested(MediationView), required=True))
    next = c1(shown_text(empty=True))


class MediationFact(FactSchema):
    """`mediation.<event>.v1`: a mediation as it now stands. Month is that of its proposal."""

    kind = "mediation"
    events = MEDIATION_EVENTS

    month = statistical(fields.String(required=True))
    category = statistical(fields.Enum(Category, by_value=True, required=True))
    category_group = statistical(fields.Enum(CategoryGroup, by_value=True, required=True))
    status = statistical(fields.Enum(MediationStatus, by_value=True, required=True))
    mediator = statistical(fields.Enum(Mediator, by_value=True, required=True))

    case = operational(fields.String(required=True, metadata={"description": "id of the case"}))
    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    walled = operational(fields.Boolean(required=True))
    guarded = operational(fields.Boolean(required=True))
    approved_from_outside = operational(fields.Boolean(required=True))
    follow_ups = operational(fields.Integer(required=True))
    next_follow_up_on = operational(fields.Date(required=True, allow_none=True))


class RestrictedMediationFact(MediationFact):
    """`mediation.<event>.v1` of a case of a restricted category: how it stands, for the home directorate."""

    class Meta:
        exclude = ("category", "mediator")

    status = operational(fields.Enum(MediationStatus, by_value=True, required=True))
