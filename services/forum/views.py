"""Rows to plain values, as `contracts.forum` shows them, and the lists that an actor may read."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, select

from contracts.rules import ForumRules
from kernel.identity import Actor
from kernel.paging import page
from services.forum import access, found, model
from services.forum.facts import members_by_sector
from services.forum.tables import (
    Action,
    Area,
    AttendanceCount,
    Composition,
    Concern,
    Forum,
    ForumArea,
    Meeting,
    Membership,
)

LANGUAGES = ("ar", "ckb", "kmr", "en")

Shown = dict[str, Any]


def names(known: Mapping[str, str]) -> dict[str, str | None]:
    """Every language, null where the name is not known in it."""
    return {language: known.get(language) for language in LANGUAGES}


def area(row: Area) -> Shown:
    """An area."""
    return {**row.model_dump(), "names": names(row.names)}


def areas(session: Session, values: Mapping[str, Any]) -> Shown:
    """A page of areas."""
    statement = _filtered(select(Area), Area, values, "kind", "district", "parent_id")
    return _page(session, statement, Area, values, lambda rows: [area(row) for row in rows])


def forum(session: Session, row: Forum, by: Actor) -> Shown:
    """A forum, as this actor may see it."""
    return _forums(session, [row], by)[0]


def forums(session: Session, values: Mapping[str, Any], by: Actor) -> Shown:
    """A page of the forums that this actor may read."""
    statement = _readable(_filtered(select(Forum), Forum, values, "status", "kind", "district"), Forum.id, by)
    if values["area_id"] is not None:
        covering = select(ForumArea.forum_id).where(col(ForumArea.area_id) == values["area_id"])
        statement = statement.where(col(Forum.id).in_(covering))
    return _page(session, statement, Forum, values, lambda rows: _forums(session, rows, by))


def _forums(session: Session, rows: Sequence[Forum], by: Actor) -> list[Shown]:
    ids = [row.id for row in rows]
    covered: dict[str, list[str]] = defaultdict(list)
    links = select(ForumArea).where(col(ForumArea.forum_id).in_(ids)).order_by(col(ForumArea.place))
    for link in session.exec(links):
        covered[link.forum_id].append(link.area_id)
    members = members_by_sector(session, ids)
    return [
        {
            **row.model_dump(),
            "names": names(row.names),
            "area_ids": covered[row.id],
            "members_by_sector": members[row.id],
            "facilitator": row.facilitator if access.sees_names(by, row.id) else None,
        }
        for row in rows
    ]


def compositions(session: Session, values: Mapping[str, Any], by: Actor) -> Shown:
    """A page of what a forum declared about itself."""
    found.forum(session, values["forum_id"], by=by)
    statement = _filtered(select(Composition), Composition, values, "forum_id")
    return _page(session, statement, Composition, values, lambda rows: [composition(row) for row in rows])


def composition(row: Composition) -> Shown:
    """A declared composition."""
    return row.model_dump()


def members(session: Session, values: Mapping[str, Any], by: Actor) -> Shown:
    """A page of a forum's members."""
    found.forum(session, values["forum_id"], by=by)
    statement = _filtered(select(Membership), Membership, values, "forum_id")
    if values["current"] is not None:
        still = col(Membership.left_on).is_(None)
        statement = statement.where(still if values["current"] else ~still)
    return _page(session, statement, Membership, values, lambda rows: [member(row) for row in rows])


def member(row: Membership) -> Shown:
    """A member."""
    return row.model_dump()


def meetings(session: Session, values: Mapping[str, Any], by: Actor) -> Shown:
    """A page of a forum's meetings, without private sessions for those outside it."""
    found.forum(session, values["forum_id"], by=by)
    statement = _filtered(select(Meeting), Meeting, values, "forum_id", "status")
    if not access.is_inside(by, values["forum_id"]):
        statement = statement.where(col(Meeting.session).not_in(model.PRIVATE_SESSIONS))
    return _page(session, statement, Meeting, values, lambda rows: _meetings(session, rows))


def meeting(session: Session, row: Meeting) -> Shown:
    """A meeting with its counts."""
    return _meetings(session, [row])[0]


def _meetings(session: Session, rows: Sequence[Meeting]) -> list[Shown]:
    came: dict[str, list[Shown]] = defaultdict(list)
    counts = (
        select(AttendanceCount)
        .where(col(AttendanceCount.meeting_id).in_([row.id for row in rows]))
        .order_by(col(AttendanceCount.sector), col(AttendanceCount.sex))
    )
    for line in session.exec(counts):
        came[line.meeting_id].append({"sector": line.sector, "sex": line.sex, "count": line.count})
    return [{**row.model_dump(), "attendance": came[row.id]} for row in rows]


def concerns(session: Session, values: Mapping[str, Any], by: Actor) -> Shown:
    """A page of a forum's concerns."""
    found.forum(session, values["forum_id"], by=by)
    statement = _filtered(select(Concern), Concern, values, "forum_id", "status", "category")
    if not access.is_inside(by, values["forum_id"]):
        statement = statement.where(col(Concern.private).is_(False))
    return _page(session, statement, Concern, values, lambda rows: [concern(row, by) for row in rows])


def concern(row: Concern, by: Actor) -> Shown:
    """A concern, as this actor may see it."""
    named = access.sees_names(by, row.forum_id)
    return {**row.model_dump(), "owner_name": row.owner_name if named else None}


def actions(session: Session, values: Mapping[str, Any], by: Actor, *, now: datetime, rules: ForumRules) -> Shown:
    """A page of the actions that this actor may read."""
    if values["forum_id"] is not None:
        found.forum(session, values["forum_id"], by=by)
    statement = _readable(_filtered(select(Action), Action, values, "forum_id", "status"), Action.forum_id, by)
    statement = statement.where(col(Action.private).is_(False) | col(Action.forum_id).in_(_own_forums(by)))
    if values["overdue"] is not None:
        before = model.overdue_before(model.day_of(now), rules)
        late = col(Action.status).in_(model.DUE) & (col(Action.due_on) < before)
        undated = col(Action.due_on).is_(None)
        statement = statement.where(late if values["overdue"] else undated | ~late)
    return _page(
        session, statement, Action, values, lambda rows: [action(row, by, now=now, rules=rules) for row in rows]
    )


def action(row: Action, by: Actor, *, now: datetime, rules: ForumRules) -> Shown:
    """An action, as this actor may see it."""
    return {
        **row.model_dump(),
        "owner_name": row.owner_name if access.sees_names(by, row.forum_id) else None,
        "overdue": model.is_overdue(row.status, row.due_on, model.overdue_before(model.day_of(now), rules)),
    }


def _own_forums(by: Actor) -> list[str]:
    return [forum_id for forum_id in by.forums if access.is_inside(by, forum_id)]


def _readable(statement: Select[Any], forum_id: Any, by: Actor) -> Select[Any]:
    if access.reads_every_forum(by):
        return statement
    return statement.where(col(forum_id).in_(_own_forums(by)))


def _filtered(statement: Select[Any], table: Any, values: Mapping[str, Any], *fields: str) -> Select[Any]:
    for field in fields:
        if values[field] is not None:
            statement = statement.where(getattr(table, field) == values[field])
    return statement


def _page(
    session: Session,
    statement: Select[Any],
    table: Any,
    values: Mapping[str, Any],
    show: Callable[[list[Any]], list[Shown]],
) -> Shown:
    found_page = page(session, statement, key=table.id, limit=values["limit"], after=values["after"])
    return {"items": show(found_page.items), "next": found_page.next}
