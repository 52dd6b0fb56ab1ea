"""The doors of requests for a handler from elsewhere, and the clock that shuts what was opened."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.clock import now
from kernel.extensions import Call, Node, door, every
from services.case import handlers, views
from services.case.doors.of_node import iso
from services.case.post import post_of

SHUT_SECONDS = 60  # reading checks the time itself; this is when what was read is forgotten


class HandlerRequestDoors:
    """Handlers of other governorates, for who wants to speak to nobody else."""

    database: Any
    settings = Node()

    @door(contract.AskForHandler, view=contract.HandlerRequestView, roles=roles.SUPERVISION)
    def ask_for_handler(self, call: Call) -> dict[str, Any]:
        row = handlers.ask_for_handler(
            call.session, call.values, by=call.actor, now=call.now, iso=iso(call), post=post_of(call.settings)
        )
        return views.handler_request(row, [])

    @door(contract.HandlerRequestQuery, view=contract.HandlerRequestPage, roles=roles.HANDLER_REQUEST, reads=True)
    def list_handler_requests(self, call: Call) -> dict[str, Any]:
        found = handlers.list_handler_requests(call.session, call.values, by=call.actor)
        items = [views.handler_request(row, handlers.offers(call.session, row, by=call.actor)) for row in found.items]
        return {"items": items, "next": found.next}

    @door(contract.OfferToHandle, view=contract.HandlerRequestView, roles=roles.CASE_WORK)
    def offer_to_handle(self, call: Call) -> dict[str, Any]:
        post = post_of(call.settings)
        row = handlers.offer_to_handle(call.session, call.values, by=call.actor, now=call.now, post=post)
        return views.handler_request(row, [])

    @door(contract.OpenToHandler, view=contract.HandlerRequestView, roles=roles.SUPERVISION)
    def open_to_handler(self, call: Call) -> dict[str, Any]:
        post = post_of(call.settings)
        row = handlers.open_to_handler(call.session, call.values, by=call.actor, now=call.now, post=post)
        return views.handler_request(row, handlers.offers(call.session, row, by=call.actor))

    @door(contract.ReadAsHandler, view=contract.HandledCaseView, roles=roles.CASE_WORK, reads=True)
    def read_as_handler(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            post = post_of(call.settings)
            row, whole = handlers.read_as_handler(session, call.values, by=call.actor, now=call.now, post=post)
            return views.handled_case(row, whole)

    @door(contract.NoteAsHandler, view=contract.HandlerRequestView, roles=roles.CASE_WORK)
    def note_as_handler(self, call: Call) -> dict[str, Any]:
        post = post_of(call.settings)
        row = handlers.note_as_handler(call.session, call.values, by=call.actor, now=call.now, post=post)
        return views.handler_request(row, [])

    @door(contract.CloseHandlerRequest, view=contract.HandlerRequestView, roles=roles.SUPERVISION)
    def close_handler_request(self, call: Call) -> dict[str, Any]:
        post = post_of(call.settings)
        row = handlers.close_handler_request(call.session, call.values, by=call.actor, now=call.now, post=post)
        return views.handler_request(row, handlers.offers(call.session, row, by=call.actor))

    @every(seconds=SHUT_SECONDS)
    def end_openings(self) -> None:
        """What was open to somebody elsewhere and is so no longer is forgotten here."""
        with self.database.write_silently() as session:
            handlers.end_openings(session, now=now())
