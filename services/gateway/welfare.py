"""Operations of welfare applications, at a governorate."""

from functools import partial

from contracts.case import welfare
from contracts.roles import WELFARE, WELFARE_DECISION, WELFARE_READ
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

ONE = "/welfare/<welfare_id>"

routes = (
    make(
        "/welfare",
        "start_welfare",
        welfare.StartWelfare,
        welfare.WelfareView,
        WELFARE,
        "Begin an application for somebody",
    ),
    get(
        "/welfare",
        "list_welfare",
        welfare.WelfareQuery,
        welfare.WelfarePage,
        WELFARE_READ,
        "Applications, with the days they wait, without who applies",
    ),
    get(
        ONE,
        "get_welfare",
        welfare.GetWelfare,
        welfare.WelfareFile,
        WELFARE_READ,
        "One application with who applies; reading is in the audit log",
    ),
    act(
        f"{ONE}/documents",
        "check_documents",
        welfare.CheckDocuments,
        welfare.WelfareView,
        WELFARE,
        "Which documents are there now",
    ),
    act(
        f"{ONE}/submit",
        "submit_welfare",
        welfare.SubmitWelfare,
        welfare.WelfareView,
        WELFARE,
        "Everything is there: send it on",
    ),
    act(
        f"{ONE}/hand-over",
        "hand_over_welfare",
        welfare.HandOverWelfare,
        welfare.WelfareView,
        WELFARE,
        "The office has it",
    ),
    act(
        f"{ONE}/decision",
        "decide_welfare",
        welfare.DecideWelfare,
        welfare.WelfareView,
        WELFARE_DECISION,
        "Enter what the office decided; never of an application one began",
    ),
    act(
        f"{ONE}/appeal",
        "appeal_welfare",
        welfare.AppealWelfare,
        welfare.WelfareView,
        WELFARE,
        "The applicant does not accept the refusal",
    ),
    act(
        f"{ONE}/paid",
        "pay_welfare",
        welfare.PayWelfare,
        welfare.WelfareView,
        WELFARE_DECISION,
        "It has reached the applicant",
    ),
    act(
        f"{ONE}/close",
        "close_welfare",
        welfare.CloseWelfare,
        welfare.WelfareView,
        WELFARE_DECISION,
        "Nothing more is to be done",
    ),
)
operations = route.blueprint("welfare", "Welfare applications. At a governorate.", routes, service="case")
