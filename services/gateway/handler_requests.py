"""Operations of requests for a handler from another governorate."""

from functools import partial

from contracts import case as contract
from contracts.roles import CASE_WORK, HANDLER_REQUEST, SUPERVISION
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

ONE = "/handler-requests/<request_id>"

routes = (
    make("/cases/<case_id>/handler-requests", "ask_for_handler", contract.AskForHandler, contract.HandlerRequestView,
         SUPERVISION, "Ask other governorates for a handler who is whom the person asked to speak to"),
    get("/handler-requests", "list_handler_requests", contract.HandlerRequestQuery, contract.HandlerRequestPage,
        HANDLER_REQUEST, "What other governorates ask for, and what one's own unit asked"),
    act(f"{ONE}/offer", "offer_to_handle", contract.OfferToHandle, contract.HandlerRequestView, CASE_WORK,
        "Offer oneself, by name"),
    act(f"{ONE}/open", "open_to_handler", contract.OpenToHandler, contract.HandlerRequestView, SUPERVISION,
        "Open the case to the one who offered herself, for a limited time"),
    act(f"{ONE}/read", "read_as_handler", contract.ReadAsHandler, contract.HandledCaseView, CASE_WORK,
        "The case, for the one it is open to"),
    act(f"{ONE}/notes", "note_as_handler", contract.NoteAsHandler, contract.HandlerRequestView, CASE_WORK,
        "Write a note of the case, to its home"),
    act(f"{ONE}/close", "close_handler_request", contract.CloseHandlerRequest, contract.HandlerRequestView, SUPERVISION,
        "Nobody else is to answer or to read"),
)
operations = route.blueprint(
    "handler_requests", "Handlers of other governorates. At a governorate.", routes, service="case"
)
