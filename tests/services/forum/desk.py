"""A forum service without its doors: requests are loaded by their schemas and given to the handlers, as a door does."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from inspect import signature
from typing import Any

from marshmallow import Schema
from sqlmodel import Session, select

import contracts.forum as contract
from contracts.roles import Role
from contracts.rules import ForumRules
from kernel.database import Database
from kernel.fact import Fact, unpack
from kernel.identity import Actor
from kernel.outbox import OutboxRow
from services.forum import views
from services.forum.handlers import actions, areas, concerns, forums, meetings, members

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
NODE = "ninewa"
ISO = "NI"
MARKER = "Zx7Marker"
PATIENCE = 30.0
UNKNOWN = "0197c0de-0000-7000-8000-00000000dead"
QUORATE = [
    {"sector": "police", "sex": "male", "count": 3},
    {"sector": "women", "sex": "female", "count": 4},
]


def actor(account: str, *roles: Role, forums: tuple[str, ...] = ()) -> Actor:
    """Somebody with an account on this node."""
    return Actor(id=account, name=account, roles=frozenset(roles), node=NODE, forums=forums)


DIRECTOR = actor("director", Role.PROVINCIAL_DIRECTOR)
OFFICER = actor("officer", Role.COMMUNITY_OFFICER)


def facilitator(*forum_ids: str, account: str = "facilitator") -> Actor:
    """Who writes those forums."""
    return actor(account, Role.FORUM_FACILITATOR, forums=forum_ids)


def plain_member(*forum_ids: str, account: str = "0197c0de-0000-7000-8000-00000000abcd") -> Actor:
    """Who reads those forums."""
    return actor(account, Role.FORUM_MEMBER, forums=forum_ids)


Handler = Callable[..., Any]


class Desk:
    """Asks handlers in a transaction each, at a time that a test may move, and shows rows as views."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.rules = ForumRules()

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    def ask(self, handler: Handler, schema: type[Schema], by: Actor, **values: Any) -> Any:
        """The row that a handler changed, after the commit."""
        with self.database.write() as session:
            return handler(session, schema().load(values), by=by, **self._needed(handler))

    def _needed(self, function: Callable[..., Any]) -> dict[str, Any]:
        """What a handler or a watch asks for beside the request: the time, this node's part of numbers, its rules."""
        offered = {"now": self.now, "iso": ISO, "rules": self.rules}
        return {name: value for name, value in offered.items() if name in signature(function).parameters}

    def read(self, reading: Callable[[Session], Any]) -> Any:
        """What somebody reads."""
        with self.database.read() as session:
            return reading(session)

    def tick(self, watch: Callable[..., int], **options: Any) -> int:
        """One pass of a timer."""
        with self.database.write() as session:
            return watch(session, **self._needed(watch), **options)

    def facts(self, kind: str = "") -> list[Fact]:
        """The facts in the outbox, oldest first."""
        with self.database.read() as session:
            rows = session.exec(select(OutboxRow).order_by(OutboxRow.id)).all()  # type: ignore[arg-type]
        return [fact for fact in (unpack(row.envelope) for row in rows) if fact.type.startswith(kind)]

    def area(self, **values: Any) -> str:
        """The id of a new area."""
        asked = {"names": {"ar": "حي السلام", "en": "Salam"}, "kind": "neighbourhood", "district": "mosul", **values}
        area_id: str = self.ask(areas.add_area, contract.AddArea, DIRECTOR, **asked).id
        return area_id

    def proposed(self, **values: Any) -> str:
        """The id of a forum that was proposed."""
        asked = {
            "names": {"ar": "منتدى السلام"},
            "founding": "local",
            "facilitator": f"{MARKER} Facilitator",
            "area_ids": [self.area()],
            **values,
        }
        forum_id: str = self.ask(forums.propose_forum, contract.ProposeForum, DIRECTOR, **asked).id
        return forum_id

    def established(self, **values: Any) -> str:
        """The id of a forum that exists on paper."""
        forum_id = self.proposed(**values)
        self.ask(
            forums.establish_forum, contract.EstablishForum, DIRECTOR, forum_id=forum_id, established_on="2025-01-10"
        )
        return forum_id

    def member(self, forum_id: str, sector: str = "women", **values: Any) -> str:
        """The id of a new member."""
        asked = {"name": f"{MARKER} Member", "contact": f"{MARKER} 0770", "joined_on": "2026-01-01", **values}
        row = self.ask(
            members.add_member,
            contract.AddMember,
            facilitator(forum_id),
            forum_id=forum_id,
            sector=sector,
            **asked,
        )
        member_id: str = row.id
        return member_id

    def planned(self, forum_id: str, **values: Any) -> str:
        """The id of a planned meeting."""
        asked = {"planned_at": self.now.isoformat(), "place": f"{MARKER} school", **values}
        row = self.ask(meetings.plan_meeting, contract.PlanMeeting, facilitator(forum_id), forum_id=forum_id, **asked)
        meeting_id: str = row.id
        return meeting_id

    def hold(self, forum_id: str, meeting_id: str, **values: Any) -> Any:
        """The meeting after it took place, with quorum unless said otherwise."""
        asked = {"held_at": self.now.isoformat(), "attendance": QUORATE, "tension": 2, **values}
        return self.ask(
            meetings.hold_meeting,
            contract.HoldMeeting,
            facilitator(forum_id),
            forum_id=forum_id,
            meeting_id=meeting_id,
            **asked,
        )

    def active(self, **values: Any) -> str:
        """The id of a forum that held a meeting with quorum just now."""
        forum_id = self.established(**values)
        self.hold(forum_id, self.planned(forum_id))
        return forum_id

    def concern(self, forum_id: str, **values: Any) -> str:
        """The id of a new concern."""
        asked = {"category": "municipal_service", "text": f"{MARKER} no light", "raised_by": "women", **values}
        row = self.ask(concerns.raise_concern, contract.RaiseConcern, facilitator(forum_id), forum_id=forum_id, **asked)
        concern_id: str = row.id
        return concern_id

    def action(self, forum_id: str, **values: Any) -> str:
        """The id of a new action of the local authority."""
        if not {"meeting_id", "concern_id"} & set(values):
            values["concern_id"] = self.concern(forum_id)
        asked = {
            "title": f"{MARKER} lights",
            "owner_kind": "authority",
            "owner_name": f"{MARKER} Owner",
            "owner_sector": "local_authority",
            "due_on": "2026-03-20",
            **values,
        }
        row = self.ask(
            actions.propose_action, contract.ProposeAction, facilitator(forum_id), forum_id=forum_id, **asked
        )
        action_id: str = row.id
        return action_id

    def claimed(self, forum_id: str, **values: Any) -> str:
        """The id of an action that the facilitator's account claimed to be done."""
        action_id = self.action(forum_id, **values)
        by = facilitator(forum_id)
        self.ask(actions.agree_action, contract.AgreeAction, by, action_id=action_id)
        self.ask(actions.start_action, contract.StartAction, by, action_id=action_id)
        self.ask(actions.claim_action, contract.ClaimAction, by, action_id=action_id, evidence=f"{MARKER} seen")
        return action_id

    def forum(self, forum_id: str, by: Actor = DIRECTOR) -> dict[str, Any]:
        """A forum as somebody sees it."""
        found = self.list(views.forums, contract.ForumQuery, by)
        return next(item for item in found if item["id"] == forum_id)

    def list(self, listing: Callable[..., Any], schema: type[Schema], by: Actor, **values: Any) -> list[dict[str, Any]]:
        """The items of a list as somebody sees them."""
        asked = schema().load(values)
        timed = {"now": self.now, "rules": self.rules} if listing is views.actions else {}
        items: list[dict[str, Any]] = self.read(lambda session: listing(session, asked, by, **timed))["items"]
        return items
