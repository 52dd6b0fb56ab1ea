"""Operations that erase what identifies people because they ask, and that hold it because an authority needs it."""

from functools import partial

from contracts.case import erasure as contract
from contracts.roles import CASE_STEPS, ERASURE_APPROVAL, ERASURE_READ
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

routes = (
    make(
        "/cases/<case_id>/erasures",
        "request_erasure",
        contract.RequestErasure,
        contract.ErasureView,
        CASE_STEPS,
        "A person asks that what identifies people in a case is erased",
    ),
    get(
        "/erasures",
        "list_erasures",
        contract.ErasureQuery,
        contract.ErasurePage,
        ERASURE_READ,
        "Requests to erase identity, and what became of them",
    ),
    act(
        "/erasures/<erasure_id>/approve",
        "approve_erasure",
        contract.DecideErasure,
        contract.ErasureView,
        ERASURE_APPROVAL,
        "Erase identity for good, from outside the unit; the case and its count stay",
    ),
    act(
        "/erasures/<erasure_id>/refuse",
        "refuse_erasure",
        contract.RefuseErasure,
        contract.ErasureView,
        ERASURE_APPROVAL,
        "Leave it as it is, and why",
    ),
    make(
        "/cases/<case_id>/holds",
        "place_hold",
        contract.PlaceHold,
        contract.HoldView,
        ERASURE_APPROVAL,
        "Hold what identifies people, because an authority needs it",
    ),
    act(
        "/holds/<hold_id>/lift",
        "lift_hold",
        contract.LiftHold,
        contract.HoldView,
        ERASURE_APPROVAL,
        "It is needed no longer; never by who placed it",
    ),
)
operations = route.blueprint(
    "erasure", "Erasing what identifies people, and holding it. At a governorate.", routes, service="case"
)
