"""Operations of mediations and of calls for help, at a governorate."""

from functools import partial

from contracts.case import assistance, mediation
from contracts.roles import CASE_APPROVAL, CASE_READ, CASE_STEPS, CASE_WORK
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

CASE = "/cases/<case_id>"
MEDIATION = "/mediations/<mediation_id>"
ASSISTANCE = "/assistance/<assistance_id>"

routes = (
    make(
        f"{CASE}/mediations",
        "propose_mediation",
        mediation.ProposeMediation,
        mediation.MediationView,
        CASE_WORK,
        "Say between whom, and by whom",
    ),
    get(
        f"{CASE}/mediations",
        "list_mediations",
        mediation.MediationQuery,
        mediation.MediationPage,
        CASE_READ,
        "The mediations of a case",
    ),
    get(
        "/follow-ups",
        "list_follow_ups",
        mediation.FollowUpQuery,
        mediation.MediationPage,
        CASE_READ,
        "Agreements of which it is due to ask whether they hold",
    ),
    act(
        f"{MEDIATION}/screen",
        "screen_mediation",
        mediation.ScreenMediation,
        mediation.MediationView,
        CASE_WORK,
        "The safety screen, before anybody agrees",
    ),
    act(
        f"{MEDIATION}/approve",
        "approve_mediation",
        mediation.ApproveMediation,
        mediation.MediationView,
        CASE_APPROVAL,
        "Let it be the only response, from outside the unit, because the person wishes it",
    ),
    act(
        f"{MEDIATION}/hold",
        "hold_mediation",
        mediation.HoldMediation,
        mediation.MediationView,
        CASE_WORK,
        "The parties met, and what they agreed",
    ),
    act(
        f"{MEDIATION}/follow-up",
        "follow_up_mediation",
        mediation.FollowUpMediation,
        mediation.MediationView,
        CASE_WORK,
        "Ask whether it holds; twice",
    ),
    act(
        f"{MEDIATION}/breach",
        "report_breach",
        mediation.ReportBreach,
        mediation.MediationView,
        CASE_STEPS,
        "It was not kept; a case that had ended is opened again",
    ),
    act(
        f"{MEDIATION}/stop",
        "stop_mediation",
        mediation.StopMediation,
        mediation.MediationView,
        CASE_STEPS,
        "It does not take place",
    ),
    make(
        f"{CASE}/assistance",
        "request_assistance",
        assistance.RequestAssistance,
        assistance.AssistanceView,
        CASE_STEPS,
        "Ask the local police to come",
    ),
    get(
        f"{CASE}/assistance",
        "list_assistance",
        assistance.AssistanceQuery,
        assistance.AssistancePage,
        CASE_READ,
        "The calls for help of a case, with their clock",
    ),
    act(
        f"{ASSISTANCE}/acknowledge",
        "acknowledge_assistance",
        assistance.AssistanceAnswered,
        assistance.AssistanceView,
        CASE_STEPS,
        "They will come",
    ),
    act(
        f"{ASSISTANCE}/on-scene",
        "arrive_assistance",
        assistance.AssistanceAnswered,
        assistance.AssistanceView,
        CASE_STEPS,
        "They came",
    ),
    act(
        f"{ASSISTANCE}/end",
        "end_assistance",
        assistance.EndAssistance,
        assistance.AssistanceView,
        CASE_STEPS,
        "They left, and how it ended",
    ),
    act(
        f"{ASSISTANCE}/refuse",
        "refuse_assistance",
        assistance.RefuseAssistance,
        assistance.AssistanceView,
        CASE_STEPS,
        "They will not come, and why",
    ),
)
operations = route.blueprint(
    "mediation", "Mediation, and calls to the local police for help. At a governorate.", routes, service="case"
)
