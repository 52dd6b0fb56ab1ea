"""The doors of the forum service, and the two things that happen because time passes."""

from functools import cache
from pathlib import Path
from typing import Any

from contracts import forum as contract
from contracts import recovered, roles, rules, safekeeping, topology
from contracts.work import FORUM
from kernel.clock import now
from kernel.extensions import Call, Database, Metrics, Node, Relay, door, every
from services.forum import found, views
from services.forum.handlers import actions, areas, concerns, forums, meetings, members, recovery, watch

PASS = 100  # rows one pass may change: a transaction of some tens of milliseconds
WATCH_SECONDS = 900  # days are counted, so a quarter of an hour late is on time

Shown = dict[str, Any]


@cache
def iso_of(file: Path, node: str) -> str:
    """The node's ISO 3166-2 part, which its numbers begin with."""
    return topology.load(file).node(node).iso


def _iso(call: Call) -> str:
    return iso_of(call.settings.topology, call.node)


def _rules(call: Call) -> rules.ForumRules:
    return rules.load(call.settings.rules).forum


class ForumService:
    """Areas, forums, members, meetings, concerns and actions of this node."""

    name = "forum"
    work = FORUM

    database = Database(begin=safekeeping.begin)
    relay = Relay()
    metrics = Metrics()
    settings = Node()

    # --- areas

    @door(contract.AreaQuery, view=contract.AreaPage, roles=roles.AREA_READ, reads=True)
    def list_areas(self, call: Call) -> Shown:
        return views.areas(call.session, call.values)

    @door(contract.GetArea, view=contract.AreaView, roles=roles.AREA_READ, reads=True)
    def get_area(self, call: Call) -> Shown:
        return views.area(found.area(call.session, call.values["area_id"]))

    @door(contract.AddArea, view=contract.AreaView, roles=roles.AREA_WRITE)
    def add_area(self, call: Call) -> Shown:
        return views.area(areas.add_area(call.session, call.values, by=call.actor, now=call.now))

    # --- forums

    @door(recovered.RecoveredQuery, view=recovered.RecoveredPage, roles=roles.CASE_APPROVAL, reads=True)
    def list_recovered_forums(self, call: Call) -> dict[str, Any]:
        found = recovery.list_recovered(call.session, call.values)
        return {"items": found.items, "next": found.next}

    @door(contract.ForumQuery, view=contract.ForumPage, roles=roles.FORUM_READ, reads=True)
    def list_forums(self, call: Call) -> Shown:
        return views.forums(call.session, call.values, call.actor)

    @door(contract.GetForum, view=contract.ForumView, roles=roles.FORUM_READ, reads=True)
    def get_forum(self, call: Call) -> Shown:
        forum = found.forum(call.session, call.values["forum_id"], by=call.actor)
        return views.forum(call.session, forum, call.actor)

    @door(contract.ProposeForum, view=contract.ForumView, roles=roles.FORUM_FOUNDING)
    def propose_forum(self, call: Call) -> Shown:
        forum = forums.propose_forum(
            call.session, call.values, by=call.actor, now=call.now, iso=_iso(call), rules=_rules(call)
        )
        return views.forum(call.session, forum, call.actor)

    @door(contract.EstablishForum, view=contract.ForumView, roles=roles.FORUM_FOUNDING)
    def establish_forum(self, call: Call) -> Shown:
        forum = forums.establish_forum(call.session, call.values, by=call.actor, now=call.now)
        return views.forum(call.session, forum, call.actor)

    @door(contract.ActivateForum, view=contract.ForumView, roles=roles.FORUM_FOUNDING)
    def activate_forum(self, call: Call) -> Shown:
        forum = forums.activate_forum(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.forum(call.session, forum, call.actor)

    @door(contract.CloseForum, view=contract.ForumView, roles=roles.FORUM_FOUNDING)
    def close_forum(self, call: Call) -> Shown:
        forum = forums.close_forum(call.session, call.values, by=call.actor, now=call.now)
        return views.forum(call.session, forum, call.actor)

    @door(contract.AppointFacilitator, view=contract.ForumView, roles=roles.FORUM_FOUNDING)
    def appoint_facilitator(self, call: Call) -> Shown:
        forum = forums.appoint_facilitator(call.session, call.values, by=call.actor, now=call.now)
        return views.forum(call.session, forum, call.actor)

    @door(contract.CompositionQuery, view=contract.CompositionPage, roles=roles.FORUM_READ, reads=True)
    def list_compositions(self, call: Call) -> Shown:
        return views.compositions(call.session, call.values, call.actor)

    @door(contract.DeclareComposition, view=contract.CompositionView, roles=roles.FORUM_WRITE)
    def declare_composition(self, call: Call) -> Shown:
        composition = forums.declare_composition(call.session, call.values, by=call.actor, now=call.now)
        return views.composition(composition)

    # --- members

    @door(contract.MemberQuery, view=contract.MemberPage, roles=roles.FORUM_NAMES, reads=True)
    def list_members(self, call: Call) -> Shown:
        return views.members(call.session, call.values, call.actor)

    @door(contract.AddMember, view=contract.MemberView, roles=roles.FORUM_WRITE)
    def add_member(self, call: Call) -> Shown:
        return views.member(members.add_member(call.session, call.values, by=call.actor, now=call.now))

    @door(contract.EndMembership, view=contract.MemberView, roles=roles.FORUM_WRITE)
    def end_membership(self, call: Call) -> Shown:
        return views.member(members.end_membership(call.session, call.values, by=call.actor, now=call.now))

    # --- meetings

    @door(contract.MeetingQuery, view=contract.MeetingPage, roles=roles.FORUM_READ, reads=True)
    def list_meetings(self, call: Call) -> Shown:
        return views.meetings(call.session, call.values, call.actor)

    @door(contract.GetMeeting, view=contract.MeetingView, roles=roles.FORUM_READ, reads=True)
    def get_meeting(self, call: Call) -> Shown:
        forum_id, meeting_id = call.values["forum_id"], call.values["meeting_id"]
        return views.meeting(call.session, found.meeting(call.session, forum_id, meeting_id, by=call.actor))

    @door(contract.PlanMeeting, view=contract.MeetingView, roles=roles.FORUM_WRITE)
    def plan_meeting(self, call: Call) -> Shown:
        meeting = meetings.plan_meeting(call.session, call.values, by=call.actor, now=call.now, iso=_iso(call))
        return views.meeting(call.session, meeting)

    @door(contract.HoldMeeting, view=contract.MeetingView, roles=roles.FORUM_WRITE)
    def hold_meeting(self, call: Call) -> Shown:
        meeting = meetings.hold_meeting(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.meeting(call.session, meeting)

    @door(contract.CancelMeeting, view=contract.MeetingView, roles=roles.FORUM_WRITE)
    def cancel_meeting(self, call: Call) -> Shown:
        meeting = meetings.cancel_meeting(call.session, call.values, by=call.actor, now=call.now)
        return views.meeting(call.session, meeting)

    # --- concerns

    @door(contract.ConcernQuery, view=contract.ConcernPage, roles=roles.FORUM_READ, reads=True)
    def list_concerns(self, call: Call) -> Shown:
        return views.concerns(call.session, call.values, call.actor)

    @door(contract.GetConcern, view=contract.ConcernView, roles=roles.FORUM_READ, reads=True)
    def get_concern(self, call: Call) -> Shown:
        concern = found.concern(call.session, call.values["concern_id"], by=call.actor)
        return views.concern(concern, call.actor)

    @door(contract.RaiseConcern, view=contract.ConcernView, roles=roles.FORUM_WRITE)
    def raise_concern(self, call: Call) -> Shown:
        concern = concerns.raise_concern(call.session, call.values, by=call.actor, now=call.now)
        return views.concern(concern, call.actor)

    @door(contract.AcceptConcern, view=contract.ConcernView, roles=roles.FORUM_WRITE)
    def accept_concern(self, call: Call) -> Shown:
        concern = concerns.accept_concern(call.session, call.values, by=call.actor, now=call.now)
        return views.concern(concern, call.actor)

    @door(contract.OwnConcern, view=contract.ConcernView, roles=roles.FORUM_WRITE)
    def own_concern(self, call: Call) -> Shown:
        concern = concerns.own_concern(call.session, call.values, by=call.actor, now=call.now)
        return views.concern(concern, call.actor)

    @door(contract.AnswerConcern, view=contract.ConcernView, roles=roles.FORUM_WRITE)
    def answer_concern(self, call: Call) -> Shown:
        concern = concerns.answer_concern(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.concern(concern, call.actor)

    @door(contract.JudgeConcern, view=contract.ConcernView, roles=roles.FORUM_VERIFY)
    def judge_concern(self, call: Call) -> Shown:
        concern = concerns.judge_concern(call.session, call.values, by=call.actor, now=call.now)
        return views.concern(concern, call.actor)

    # --- actions

    @door(contract.ActionQuery, view=contract.ActionPage, roles=roles.FORUM_READ, reads=True)
    def list_actions(self, call: Call) -> Shown:
        return views.actions(call.session, call.values, call.actor, now=call.now, rules=_rules(call))

    @door(contract.GetAction, view=contract.ActionView, roles=roles.FORUM_READ, reads=True)
    def get_action(self, call: Call) -> Shown:
        action = found.action(call.session, call.values["action_id"], by=call.actor)
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.ProposeAction, view=contract.ActionView, roles=roles.FORUM_WRITE)
    def propose_action(self, call: Call) -> Shown:
        action = actions.propose_action(
            call.session, call.values, by=call.actor, now=call.now, iso=_iso(call), rules=_rules(call)
        )
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.AgreeAction, view=contract.ActionView, roles=roles.FORUM_WRITE)
    def agree_action(self, call: Call) -> Shown:
        action = actions.agree_action(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.StartAction, view=contract.ActionView, roles=roles.FORUM_WRITE)
    def start_action(self, call: Call) -> Shown:
        action = actions.start_action(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.ClaimAction, view=contract.ActionView, roles=roles.FORUM_WRITE)
    def claim_action(self, call: Call) -> Shown:
        action = actions.claim_action(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.VerifyAction, view=contract.ActionView, roles=roles.FORUM_VERIFY)
    def verify_action(self, call: Call) -> Shown:
        action = actions.verify_action(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.RejectAction, view=contract.ActionView, roles=roles.FORUM_VERIFY)
    def reject_action(self, call: Call) -> Shown:
        action = actions.reject_action(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    @door(contract.DropAction, view=contract.ActionView, roles=roles.FORUM_WRITE)
    def drop_action(self, call: Call) -> Shown:
        action = actions.drop_action(call.session, call.values, by=call.actor, now=call.now, rules=_rules(call))
        return views.action(action, call.actor, now=call.now, rules=_rules(call))

    # --- time

    @every(seconds=WATCH_SECONDS)
    def watch_forums(self) -> None:
        """Forums without activity become at risk, and dormant."""
        with self.database.write() as session:
            watch.keep_time(session, rules=rules.load(self.settings.rules).forum, limit=PASS)
        with self.database.write() as session:
            watch.watch_forums(session, now=now(), limit=PASS)

    @every(seconds=WATCH_SECONDS)
    def watch_actions(self) -> None:
        """Actions whose day has passed are told of, once."""
        with self.database.write() as session:
            watch.watch_actions(session, now=now(), rules=rules.load(self.settings.rules).forum, limit=PASS)
