"""What an open case waits for, and until when. Pure.

A deadline runs from the step that began the waiting and is not moved by a note or by a second handler: the person has
waited since then. Only work itself (`work`) is due anew with each thing that is done.
"""

from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from contracts.case.endings import NextStep
from contracts.case.words import CaseStatus, Risk
from contracts.numbers import BAGHDAD
from contracts.rules import CaseRules

STEPS: Final = {
    CaseStatus.RECEIVED: NextStep.TRIAGE,
    CaseStatus.TRIAGED: NextStep.ASSIGN,
    CaseStatus.CONTESTED: NextStep.ASSIGN,
    CaseStatus.ASSIGNED: NextStep.FIRST_CONTACT,
    CaseStatus.IN_PROGRESS: NextStep.WORK,
    CaseStatus.ON_HOLD: NextStep.REVIEW,
    CaseStatus.RESOLUTION_PROPOSED: NextStep.APPROVAL,
}


class Due(NamedTuple):
    """The next step and when it is due; neither for a case that waits for nothing."""

    step: NextStep | None
    at: datetime | None


def next_due(
    status: CaseStatus, *, risk: Risk | None, review_on: date | None, before: Due, now: datetime, rules: CaseRules
) -> Due:
    """What is due after a change at `now`; `before`: what was due until then."""
    step = STEPS.get(status)
    if step is None:
        return Due(None, None)
    if step is NextStep.REVIEW:
        return Due(step, _morning(review_on) if review_on else before.at)
    if step is before.step and step is not NextStep.WORK and before.at is not None:
        return before
    return Due(step, now + _patience(step, risk, rules))


def _patience(step: NextStep, risk: Risk | None, rules: CaseRules) -> timedelta:
    contact = {Risk.IMMEDIATE: rules.contact_immediate_hours, Risk.HIGH: rules.contact_high_hours}
    hours = {
        NextStep.TRIAGE: rules.triage_hours,
        NextStep.ASSIGN: rules.assign_hours,
        NextStep.FIRST_CONTACT: contact.get(risk, rules.contact_hours) if risk else rules.contact_hours,
        NextStep.WORK: rules.quiet_days * 24,
        NextStep.APPROVAL: rules.approval_hours,
    }
    return timedelta(hours=hours[step])


def _morning(day: date) -> datetime:
    """When a day begins in Baghdad."""
    return datetime.combine(day, time.min, BAGHDAD)
