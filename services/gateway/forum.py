"""Operations of the forum service, at a governorate: areas, forums, members, meetings, concerns, actions."""

from functools import partial

from contracts import forum as contract
from contracts.recovered import RecoveredPage, RecoveredQuery
from contracts.roles import (
    AREA_READ,
    AREA_WRITE,
    CASE_APPROVAL,
    FORUM_FOUNDING,
    FORUM_NAMES,
    FORUM_READ,
    FORUM_VERIFY,
    FORUM_WRITE,
)
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

FORUM = "/forums/<forum_id>"
MEETING = f"{FORUM}/meetings/<meeting_id>"
CONCERN = "/concerns/<concern_id>"
ACTION = "/actions/<action_id>"

routes = (
    get("/areas", "list_areas", contract.AreaQuery, contract.AreaPage, AREA_READ, "Places of this governorate"),
    make("/areas", "add_area", contract.AddArea, contract.AreaView, AREA_WRITE, "Add a place"),
    get("/areas/<area_id>", "get_area", contract.GetArea, contract.AreaView, AREA_READ, "One place"),
    get(
        "/recovered/forums",
        "list_recovered_forums",
        RecoveredQuery,
        RecoveredPage,
        CASE_APPROVAL,
        "Forums, meetings and actions of which something was lost when a backup was put back",
    ),
    get("/forums", "list_forums", contract.ForumQuery, contract.ForumPage, FORUM_READ, "Forums of this governorate"),
    make("/forums", "propose_forum", contract.ProposeForum, contract.ForumView, FORUM_FOUNDING, "Propose a forum"),
    get(FORUM, "get_forum", contract.GetForum, contract.ForumView, FORUM_READ, "One forum"),
    act(
        f"{FORUM}/establish",
        "establish_forum",
        contract.EstablishForum,
        contract.ForumView,
        FORUM_FOUNDING,
        "Say that it exists on paper",
    ),
    act(
        f"{FORUM}/activate",
        "activate_forum",
        contract.ActivateForum,
        contract.ForumView,
        FORUM_FOUNDING,
        "Say that it began to work",
    ),
    act(
        f"{FORUM}/close", "close_forum", contract.CloseForum, contract.ForumView, FORUM_FOUNDING, "End a forum for good"
    ),
    act(
        f"{FORUM}/facilitator",
        "appoint_facilitator",
        contract.AppointFacilitator,
        contract.ForumView,
        FORUM_FOUNDING,
        "Say who runs it now",
    ),
    get(
        f"{FORUM}/compositions",
        "list_compositions",
        contract.CompositionQuery,
        contract.CompositionPage,
        FORUM_READ,
        "What it declared about who sits in it, as counts",
    ),
    make(
        f"{FORUM}/compositions",
        "declare_composition",
        contract.DeclareComposition,
        contract.CompositionView,
        FORUM_WRITE,
        "Declare who sits in it, as counts",
    ),
    get(f"{FORUM}/members", "list_members", contract.MemberQuery, contract.MemberPage, FORUM_NAMES, "Its members"),
    make(f"{FORUM}/members", "add_member", contract.AddMember, contract.MemberView, FORUM_WRITE, "Add a member"),
    act(
        f"{FORUM}/members/<member_id>/end",
        "end_membership",
        contract.EndMembership,
        contract.MemberView,
        FORUM_WRITE,
        "Say that a member has left",
    ),
    get(f"{FORUM}/meetings", "list_meetings", contract.MeetingQuery, contract.MeetingPage, FORUM_READ, "Its meetings"),
    make(
        f"{FORUM}/meetings", "plan_meeting", contract.PlanMeeting, contract.MeetingView, FORUM_WRITE, "Plan a meeting"
    ),
    get(MEETING, "get_meeting", contract.GetMeeting, contract.MeetingView, FORUM_READ, "One meeting"),
    act(
        f"{MEETING}/hold",
        "hold_meeting",
        contract.HoldMeeting,
        contract.MeetingView,
        FORUM_WRITE,
        "Say that it took place and who came, as counts",
    ),
    act(
        f"{MEETING}/cancel",
        "cancel_meeting",
        contract.CancelMeeting,
        contract.MeetingView,
        FORUM_WRITE,
        "Say that it does not take place",
    ),
    get(f"{FORUM}/concerns", "list_concerns", contract.ConcernQuery, contract.ConcernPage, FORUM_READ, "Its concerns"),
    make(
        f"{FORUM}/concerns",
        "raise_concern",
        contract.RaiseConcern,
        contract.ConcernView,
        FORUM_WRITE,
        "Write down what a sector is worried about",
    ),
    get(CONCERN, "get_concern", contract.GetConcern, contract.ConcernView, FORUM_READ, "One concern"),
    act(f"{CONCERN}/accept", "accept_concern", contract.AcceptConcern, contract.ConcernView, FORUM_WRITE, "Take it up"),
    act(f"{CONCERN}/own", "own_concern", contract.OwnConcern, contract.ConcernView, FORUM_WRITE, "Say who takes it on"),
    act(f"{CONCERN}/answer", "answer_concern", contract.AnswerConcern, contract.ConcernView, FORUM_WRITE, "Answer it"),
    act(
        f"{CONCERN}/judge",
        "judge_concern",
        contract.JudgeConcern,
        contract.ConcernView,
        FORUM_VERIFY,
        "Say whether the answer satisfies",
    ),
    get("/actions", "list_actions", contract.ActionQuery, contract.ActionPage, FORUM_READ, "Actions of forums"),
    make("/actions", "propose_action", contract.ProposeAction, contract.ActionView, FORUM_WRITE, "Propose an action"),
    get(ACTION, "get_action", contract.GetAction, contract.ActionView, FORUM_READ, "One action"),
    act(f"{ACTION}/agree", "agree_action", contract.AgreeAction, contract.ActionView, FORUM_WRITE, "Agree on it"),
    act(f"{ACTION}/start", "start_action", contract.StartAction, contract.ActionView, FORUM_WRITE, "Begin it"),
    act(
        f"{ACTION}/claim", "claim_action", contract.ClaimAction, contract.ActionView, FORUM_WRITE, "Say that it is done"
    ),
    act(
        f"{ACTION}/verify",
        "verify_action",
        contract.VerifyAction,
        contract.ActionView,
        FORUM_VERIFY,
        "Say that one has seen that it is done",
    ),
    act(
        f"{ACTION}/reject",
        "reject_action",
        contract.RejectAction,
        contract.ActionView,
        FORUM_VERIFY,
        "Say that one has seen that it is not done",
    ),
    act(f"{ACTION}/drop", "drop_action", contract.DropAction, contract.ActionView, FORUM_WRITE, "Give it up"),
)
operations = route.blueprint("forum", "Forums and what they do. At a governorate.", routes)
