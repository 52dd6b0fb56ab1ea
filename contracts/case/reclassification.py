"""Changing the class of a case: proposed by who works on it, decided by somebody from outside the unit, and listed.

The class given at intake stays whatever is decided; this changes the present one.

| door | request | answer | group | API |
|---|---|---|---|---|
| `propose_reclassification` | ProposeReclassification | ReclassificationView | CASE_STEPS | POST /cases/{case_id}/reclassifications |
| `list_reclassifications` | ReclassificationQuery | ReclassificationPage | RECLASSIFICATION_READ | GET /reclassifications |
| `approve_reclassification` | DecideReclassification | ReclassificationView | RECLASSIFICATION_APPROVAL | POST /reclassifications/{reclassification_id}/approve |
| `refuse_reclassification` | DecideReclassification | ReclassificationView | RECLASSIFICATION_APPROVAL | POST /reclassifications/{reclassification_id}/refuse |
"""  # noqa: E501 - a table

from enum import StrEnum

from marshmallow import fields

from contracts.case.shapes import OfCase, known, shown, shown_instant, shown_text, told, version
from contracts.case.words import Category, CategoryGroup, RecordingClass
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, c1, c2, c4

EVENTS = ("proposed", "approved", "refused")


class ReclassificationStatus(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


class Ground(StrEnum):
    """Why the present class is thought to be wrong. The words for it are a text."""

    NEW_FACTS = "new_facts"
    ANSWER_MISTAKEN = "answer_mistaken"
    WRONG_PERSON = "wrong_person"
    COURT_OR_PROSECUTOR = "court_or_prosecutor"
    OTHER = "other"


class ProposeReclassification(OfCase):
    """Say which class the case should have, and why."""

    to_class = c1(known(RecordingClass, required=True))
    ground = c1(known(Ground, required=True))
    text = told("why")


class DecideReclassification(Strict):
    """Approve or refuse what somebody else proposed."""

    reclassification_id = c1(Id(required=True))
    version = version()
    text = told("why")


class ReclassificationQuery(PageQuery):
    """Every change of a class that the caller may know of, oldest first; of one case or in one state."""

    status = c1(known(ReclassificationStatus, load_default=None, allow_none=True))
    of_case_id = c1(Id(load_default=None, allow_none=True))


class ReclassificationView(Strict):
    """From which class to which, by whom, and what became of it. `text`: the reason, for who decides or reads it."""

    id = c1(shown_text())
    version = c1(fields.Integer(required=True))
    case_id = c1(shown_text())
    case_number = c1(shown_text())
    category = c1(shown(Category))
    recording_class = c1(shown(RecordingClass))
    from_class = c1(shown(RecordingClass))
    to_class = c1(shown(RecordingClass))
    ground = c1(shown(Ground))
    status = c1(shown(ReclassificationStatus))
    proposed_by = c2(shown_text())
    proposed_at = c1(shown_instant())
    decided_by = c2(shown_text(empty=True))
    decided_at = c1(shown_instant(empty=True))


class ReclassificationLine(ReclassificationView):
    """The same with the reason that was given, which is about a case and audited when it is read."""

    text = c4(shown_text())


class ReclassificationPage(Strict):
    items = c4(fields.List(fields.Nested(ReclassificationLine), required=True))
    next = c1(shown_text(empty=True))


class ReclassificationFact(FactSchema):
    """`reclassification.<event>.v1`: a change of a case's class, as it now stands. Month is that of the proposal."""

    kind = "reclassification"
    events = EVENTS

    month = statistical(fields.String(required=True))
    category = statistical(fields.Enum(Category, by_value=True, required=True))
    category_group = statistical(fields.Enum(CategoryGroup, by_value=True, required=True))
    from_class = statistical(fields.Enum(RecordingClass, by_value=True, required=True))
    to_class = statistical(fields.Enum(RecordingClass, by_value=True, required=True))
    ground = statistical(fields.Enum(Ground, by_value=True, required=True))
    status = statistical(fields.Enum(ReclassificationStatus, by_value=True, required=True))

    case = operational(fields.String(required=True, metadata={"description": "id of the case"}))
    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    walled = operational(fields.Boolean(required=True))
    decided_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    handler = operational(fields.String(allow_none=True, metadata={"description": "hash of the account's id"}))
    proposer = operational(
        fields.String(allow_none=True, metadata={"description": "hash of the account's id, while it is proposed"})
    )
    quiet = operational(fields.Boolean(metadata={"description": "names staff: nobody is notified by role"}))


class RestrictedReclassificationFact(ReclassificationFact):
    """`reclassification.<event>.v1` of a case of a restricted category: the classes, for the home directorate."""

    class Meta:
        exclude = ("category", "ground")

    from_class = operational(fields.Enum(RecordingClass, by_value=True, required=True))
    to_class = operational(fields.Enum(RecordingClass, by_value=True, required=True))
    status = operational(fields.Enum(ReclassificationStatus, by_value=True, required=True))
