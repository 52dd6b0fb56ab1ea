"""What happens because time passes: quiet forums, overdue actions. One bounded pass per call, oldest first.

Each pass looks at rows only, so it may run late, twice, or in two processes: a row that was dealt with is not found
again. A forum that was quiet for half a year while the node was off becomes at risk in one pass and dormant in the
next, and both are told.
"""

from datetime import datetime

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from contracts.forum import ForumStatus
from contracts.rules import ForumRules
from services.forum import facts, found, model
from services.forum.tables import Action, Forum


def keep_time(session: Session, *, rules: ForumRules, limit: int = 100) -> int:
    """Set the clocks of up to `limit` forums that another rule had set; return how many.

    Only after a rule was changed is there anything to do. No forum comes back by this: that takes an activity.
    """
    began = select(Forum).where(col(Forum.status).in_(model.WORKING), col(Forum.last_activity_at).is_not(None))
    forums = session.exec(began.order_by(col(Forum.id))).all()
    wrong = [forum.id for forum in forums if _clock(forum, rules) != model.Clock(forum.at_risk_at, forum.dormant_at)]
    for forum_id in wrong[:limit]:
        forum = session.get_one(Forum, forum_id, with_for_update=found.FOR_CHANGE, populate_existing=True)
        times = _clock(forum, rules)
        forum.at_risk_at, forum.dormant_at = times.at_risk_at, times.dormant_at
    return len(wrong[:limit])


def _clock(forum: Forum, rules: ForumRules) -> model.Clock:
    return model.clock(forum.last_activity_at, forum.rhythm_days, rules)


def watch_forums(session: Session, *, now: datetime, limit: int = 100) -> int:
    """Let the clock move up to `limit` quiet forums one step; return how many."""
    quiet = session.exec(
        select(Forum)
        .where(
            or_(
                and_(col(Forum.status) == ForumStatus.ACTIVE, col(Forum.at_risk_at) <= now),
                and_(col(Forum.status) == ForumStatus.AT_RISK, col(Forum.dormant_at) <= now),
            )
        )
        .order_by(col(Forum.at_risk_at), col(Forum.id))
        .limit(limit)
        .with_for_update(key_share=True)
    ).all()
    for forum in quiet:
        forum.status = model.after_silence(forum.status, forum.at_risk_at, forum.dormant_at, now)
        facts.tell_forum(session, forum, forum.status.value, at=now)
    return len(quiet)


def watch_actions(session: Session, *, now: datetime, rules: ForumRules, limit: int = 100) -> int:
    """Tell of up to `limit` actions whose day has passed, once each; return how many."""
    today = model.day_of(now)
    late = session.exec(
        select(Action)
        .where(
            col(Action.status).in_(model.DUE),
            col(Action.due_on) < model.overdue_before(today, rules),
            col(Action.overdue_told_on).is_(None),
        )
        .order_by(col(Action.due_on), col(Action.id))
        .limit(limit)
        .with_for_update(key_share=True)
    ).all()
    for action in late:
        forum = session.get_one(Forum, action.forum_id)
        action.overdue_told_on = today
        facts.tell_action(session, forum, action, "overdue", at=now, rules=rules)
    return len(late)
