"""The published language of the forum service: its words, its requests and views, and the facts it records.

Personal fields (C2: names and contacts of members and owners) stand in requests and views only. The facts of
this service hold counts, states, dates and numbers. Free text (titles, concerns, answers, agendas, places) is
C1 and stays on the node too: nobody can promise that a sentence holds no name.

| path below /api/v1 | door | asked with | shows | roles |
|---|---|---|---|---|
| GET /areas | list_areas | AreaQuery | AreaPage | AREA_READ |
| POST /areas | add_area | AddArea | AreaView | AREA_WRITE |
| GET /areas/{area_id} | get_area | GetArea | AreaView | AREA_READ |
| GET /forums | list_forums | ForumQuery | ForumPage | FORUM_READ |
| POST /forums | propose_forum | ProposeForum | ForumView | FORUM_FOUNDING |
| GET /forums/{forum_id} | get_forum | GetForum | ForumView | FORUM_READ |
| POST /forums/{forum_id}/establish | establish_forum | EstablishForum | ForumView | FORUM_FOUNDING |
| POST /forums/{forum_id}/activate | activate_forum | ActivateForum | ForumView | FORUM_FOUNDING |
| POST /forums/{forum_id}/close | close_forum | CloseForum | ForumView | FORUM_FOUNDING |
| POST /forums/{forum_id}/facilitator | appoint_facilitator | AppointFacilitator | ForumView | FORUM_FOUNDING |
| GET /forums/{forum_id}/compositions | list_compositions | CompositionQuery | CompositionPage | FORUM_READ |
| POST /forums/{forum_id}/compositions | declare_composition | DeclareComposition | CompositionView | FORUM_WRITE |
| GET /forums/{forum_id}/members | list_members | MemberQuery | MemberPage | FORUM_NAMES |
| POST /forums/{forum_id}/members | add_member | AddMember | MemberView | FORUM_WRITE |
| POST /forums/{forum_id}/members/{member_id}/end | end_membership | EndMembership | MemberView | FORUM_WRITE |
| GET /forums/{forum_id}/meetings | list_meetings | MeetingQuery | MeetingPage | FORUM_READ |
| POST /forums/{forum_id}/meetings | plan_meeting | PlanMeeting | MeetingView | FORUM_WRITE |
| GET /forums/{forum_id}/meetings/{meeting_id} | get_meeting | GetMeeting | MeetingView | FORUM_READ |
| POST /forums/{forum_id}/meetings/{meeting_id}/hold | hold_meeting | HoldMeeting | MeetingView | FORUM_WRITE |
| POST /forums/{forum_id}/meetings/{meeting_id}/cancel | cancel_meeting | CancelMeeting | MeetingView | FORUM_WRITE |
| GET /forums/{forum_id}/concerns | list_concerns | ConcernQuery | ConcernPage | FORUM_READ |
| POST /forums/{forum_id}/concerns | raise_concern | RaiseConcern | ConcernView | FORUM_WRITE |
| GET /concerns/{concern_id} | get_concern | GetConcern | ConcernView | FORUM_READ |
| POST /concerns/{concern_id}/accept | accept_concern | AcceptConcern | ConcernView | FORUM_WRITE |
| POST /concerns/{concern_id}/own | own_concern | OwnConcern | ConcernView | FORUM_WRITE |
| POST /concerns/{concern_id}/answer | answer_concern | AnswerConcern | ConcernView | FORUM_WRITE |
| POST /concerns/{concern_id}/judge | judge_concern | JudgeConcern | ConcernView | FORUM_VERIFY |
| GET /actions | list_actions | ActionQuery | ActionPage | FORUM_READ |
| POST /actions | propose_action | ProposeAction | ActionView | FORUM_WRITE |
| GET /actions/{action_id} | get_action | GetAction | ActionView | FORUM_READ |
| POST /actions/{action_id}/agree | agree_action | AgreeAction | ActionView | FORUM_WRITE |
| POST /actions/{action_id}/start | start_action | StartAction | ActionView | FORUM_WRITE |
| POST /actions/{action_id}/claim | claim_action | ClaimAction | ActionView | FORUM_WRITE |
| POST /actions/{action_id}/verify | verify_action | VerifyAction | ActionView | FORUM_VERIFY |
| POST /actions/{action_id}/reject | reject_action | RejectAction | ActionView | FORUM_VERIFY |
| POST /actions/{action_id}/drop | drop_action | DropAction | ActionView | FORUM_WRITE |
"""

from contracts.forum.business import (
    AcceptConcern,
    ActionQuery,
    AgreeAction,
    AnswerConcern,
    CancelMeeting,
    ClaimAction,
    ConcernQuery,
    DropAction,
    GetAction,
    GetConcern,
    GetMeeting,
    HoldMeeting,
    JudgeConcern,
    MeetingQuery,
    OwnConcern,
    PlanMeeting,
    ProposeAction,
    RaiseConcern,
    RejectAction,
    StartAction,
    VerifyAction,
)
from contracts.forum.facts import (
    ActionFact,
    AreaFact,
    ConcernFact,
    ForumFact,
    MeetingFact,
)
from contracts.forum.requests import (
    ActivateForum,
    AddArea,
    AddMember,
    AppointFacilitator,
    AreaQuery,
    CloseForum,
    CompositionQuery,
    DeclareComposition,
    EndMembership,
    EstablishForum,
    ForumQuery,
    GetArea,
    GetForum,
    MemberQuery,
    ProposeForum,
)
from contracts.forum.views import (
    ActionPage,
    ActionView,
    AreaPage,
    AreaView,
    CompositionPage,
    CompositionView,
    ConcernPage,
    ConcernView,
    ForumPage,
    ForumView,
    MeetingPage,
    MeetingView,
    MemberPage,
    MemberView,
)
from contracts.forum.words import (
    ActionStatus,
    AreaKind,
    AreaType,
    CancelReason,
    CloseReason,
    ConcernCategory,
    ConcernStatus,
    Dimension,
    DropReason,
    ForumKind,
    ForumStatus,
    Founding,
    MeetingStatus,
    MemberRole,
    OwnerKind,
    Priority,
    Sector,
    Session,
    Sex,
)

__all__ = [
    "AcceptConcern",
    "ActionFact",
    "ActionPage",
    "ActionQuery",
    "ActionStatus",
    "ActionView",
    "ActivateForum",
    "AddArea",
    "AddMember",
    "AgreeAction",
    "AnswerConcern",
    "AppointFacilitator",
    "AreaFact",
    "AreaKind",
    "AreaPage",
    "AreaQuery",
    "AreaType",
    "AreaView",
    "CancelMeeting",
    "CancelReason",
    "ClaimAction",
    "CloseForum",
    "CloseReason",
    "CompositionPage",
    "CompositionQuery",
    "CompositionView",
    "ConcernCategory",
    "ConcernFact",
    "ConcernPage",
    "ConcernQuery",
    "ConcernStatus",
    "ConcernView",
    "DeclareComposition",
    "Dimension",
    "DropAction",
    "DropReason",
    "EndMembership",
    "EstablishForum",
    "ForumFact",
    "ForumKind",
    "ForumPage",
    "ForumQuery",
    "ForumStatus",
    "ForumView",
    "Founding",
    "GetAction",
    "GetArea",
    "GetConcern",
    "GetForum",
    "GetMeeting",
    "HoldMeeting",
    "JudgeConcern",
    "MeetingFact",
    "MeetingPage",
    "MeetingQuery",
    "MeetingStatus",
    "MeetingView",
    "MemberPage",
    "MemberQuery",
    "MemberRole",
    "MemberView",
    "OwnConcern",
    "OwnerKind",
    "PlanMeeting",
    "Priority",
    "ProposeAction",
    "ProposeForum",
    "RaiseConcern",
    "RejectAction",
    "Sector",
    "Session",
    "Sex",
    "StartAction",
    "VerifyAction",
]
