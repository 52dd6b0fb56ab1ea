"""Facts of forums, meetings and actions that came back from a directorate after a restore."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from contracts.forum import ActionFact, AreaFact, ConcernFact, ForumFact, MeetingFact
from contracts.recovering import Kind, Recovering, TakenOver
from contracts.rules import ForumRules
from kernel.fact import Fact
from kernel.paging import Page, page
from kernel.recovered import RecoveredRecord
from services.forum import facts as telling
from services.forum.tables import Action, Area, Concern, Forum, Meeting, NumberSequence

EVENT = "recovered"


def _scope(_values: Mapping[str, Any]) -> str | None:
    """Whoever may see forums may see them."""
    return "forum"


def _kinds(rules: ForumRules) -> Mapping[str, Kind]:
    def tell_area(session: Session, row: Area, now: datetime) -> None:
        telling.tell_area(session, row, EVENT, at=now)

    def tell_forum(session: Session, row: Forum, now: datetime) -> None:
        telling.tell_forum(session, row, EVENT, at=now)

    def tell_meeting(session: Session, row: Meeting, now: datetime) -> None:
        telling.tell_meeting(session, session.get_one(Forum, row.forum_id), row, EVENT, at=now)

    def tell_concern(session: Session, row: Concern, now: datetime) -> None:
        telling.tell_concern(session, session.get_one(Forum, row.forum_id), row, EVENT, at=now)

    def tell_action(session: Session, row: Action, now: datetime) -> None:
        telling.tell_action(session, session.get_one(Forum, row.forum_id), row, EVENT, at=now, rules=rules)

    forum = ("status", "close_reason", "established_on", "activated_on", "rhythm_days")
    meeting = ("status", "cancel_reason", "quorum_met", "tension")
    action = ("status", "drop_reason", "due_on", "verified_by_sector")
    return {
        "area": Kind(Area, AreaFact, None, (), _scope, tell_area),
        "forum": Kind(Forum, ForumFact, "number", forum, _scope, tell_forum),
        "meeting": Kind(Meeting, MeetingFact, "number", meeting, _scope, tell_meeting),
        "concern": Kind(Concern, ConcernFact, None, ("status", "owner_kind"), _scope, tell_concern),
        "action": Kind(Action, ActionFact, "number", action, _scope, tell_action),
    }


def take_over(
    session: Session,
    facts: Iterable[Fact],
    *,
    iso: str,
    since: Mapping[str, int],
    now: datetime,
    rules: ForumRules,
) -> TakenOver:
    """Restore what the facts tell; see contracts/recovering.py."""
    return Recovering(session, _kinds(rules), NumberSequence, iso, since, now).take_over(facts)


def list_recovered(session: Session, values: dict[str, Any]) -> Page[RecoveredRecord]:
    """Records that came back, for those who must enter them again."""
    key = RecoveredRecord.__table__.c.subject
    return page(session, select(RecoveredRecord), key=key, limit=values["limit"], after=values["after"])
