"""A handler from anywhere: asked without identity, opened to one named user, for a limited time."""

from typing import Any

import pytest

from contracts import case as contract
from contracts.case.handler_requests import RequestStatus
from contracts.roles import Role
from kernel.errors import BadInput, MoveRefused
from kernel.fact import Fact
from kernel.identity import Actor
from services.case import arriving, handlers
from services.case.handlers.letters import Post
from services.case.refusals import NotOpenToYou, NotTransferable, PreferenceNeeded, PreferenceNotMet, RequestNotFound
from services.case.tables import CaseRecord, HandlerRequest
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import HANDLER, ISO, OTHER_SUPERVISOR, SUPERVISOR, Office, person
from tests.services.case.test_transfers import AFFECTED, FAR, NAME, Ends

RANA = Actor("account-rana", "Rana", frozenset({Role.CASE_WORKER}), "duhok", "duhok-1")
ANOTHER = person("another", Role.CASE_WORKER, unit="duhok-1")


class Asking(Ends):
    """Two governorates that ask each other for handlers."""

    def post(self, node: str) -> Post:
        post = super().post(node)
        return Post(node, FAR, post.key_of, post.opening, post.rules, reachable=lambda: frozenset({"duhok"}))

    def deliver(self, fact: Fact, origin: str, to: str) -> None:
        office = self.offices[to]
        post = self.post(to)
        takers = {
            "handler_request": lambda session, fact, origin: handlers.take_handler_request(
                session, fact, origin=origin, now=office.now, post=post
            )
        }
        with office.database.write() as session:
            arriving.take_once(session, fact, origin, takers)

    def letters(self, origin: str, to: str) -> list[Fact]:
        return [fact for fact in self.offices[origin].facts() if fact.kind == "handler_request" and to in fact.audience]

    def ask(self, case: CaseRecord, by: Actor = SUPERVISOR) -> HandlerRequest:
        office = self.offices["ninewa"]
        values = contract.AskForHandler().load({"case_id": case.id, "urgency": "urgent"})
        with office.database.write() as session:
            return handlers.ask_for_handler(session, values, by=by, now=office.now, iso=ISO, post=self.post("ninewa"))

    def step(self, node: str, use_case: str, request: HandlerRequest, by: Actor, **values: object) -> HandlerRequest:
        shape = getattr(contract, "".join(word.capitalize() for word in use_case.split("_")))
        return self.do(node, getattr(handlers, use_case), shape, by, request_id=request.id, **values)

    def request(self, node: str, request: HandlerRequest) -> HandlerRequest:
        with self.offices[node].database.read() as session:
            return session.get_one(HandlerRequest, request.id)

    def opened(self, case: CaseRecord) -> HandlerRequest:
        """The whole way until Rana may read it."""
        request = self.ask(case)
        self.exchange()
        self.step("duhok", "offer_to_handle", request, RANA, fits_preference=True)
        self.exchange()
        self.step("ninewa", "open_to_handler", request, SUPERVISOR)
        self.exchange()
        return request


@pytest.fixture
def asking(make_database: MakeDatabase) -> Asking:
    return Asking(lambda: Office(make_database("case")))


def triaged(asking: Asking, **values: Any) -> CaseRecord:
    ninewa = asking.offices["ninewa"]
    case = ninewa.open(parties=[AFFECTED], narrative="what she told", **{"handler_preference": "woman", **values})
    return ninewa.triage(case)


def test_identity_is_opened_to_her_alone_for_a_limited_time_and_the_home_keeps_the_case(asking: Asking) -> None:
    case = triaged(asking, category="domestic_abuse")
    request = asking.opened(case)
    _, whole = asking.step("duhok", "read_as_handler", request, RANA)
    assert [party["name"] for party in whole.parties] == [NAME]
    assert whole.narrative == "what she told"
    with pytest.raises(NotOpenToYou) as refused:
        asking.step("duhok", "read_as_handler", request, ANOTHER)
    assert refused.value.audited
    duhok, ninewa = asking.offices["duhok"], asking.offices["ninewa"]
    assert [line[:2] for line in duhok.audited()] == [(RANA.id, "read_as_handler")]
    duhok.wait(hours=72)
    with pytest.raises(NotOpenToYou):
        asking.step("duhok", "read_as_handler", request, RANA)
    with duhok.database.write() as session:
        assert handlers.end_openings(session, now=duhok.now) == 1
    row = asking.request("duhok", request)
    assert (row.status, row.sealed) == (RequestStatus.CLOSED, None)
    home = ninewa.row(case)
    assert (home.owned, home.owner_epoch, home.counted) == (True, 1, True)
    assert asking.case("duhok", case) is None
    assert not [fact for fact in duhok.facts() if fact.kind == "case"]


def test_what_she_writes_is_a_note_of_the_case_at_its_home(asking: Asking) -> None:
    case = triaged(asking)
    request = asking.opened(case)
    asking.step("duhok", "note_as_handler", request, RANA, text="we spoke for an hour")
    asking.exchange()
    ninewa = asking.offices["ninewa"]
    ninewa.assign(ninewa.row(case))
    assert [note.text for note in ninewa.notes(case, HANDLER)] == ["we spoke for an hour"]
    assert ninewa.row(case).notes == 1


def test_the_request_names_nobody_and_says_no_more_than_group_language_and_urgency(asking: Asking) -> None:
    case = triaged(asking, category="sexual_violence", language="ckb")
    request = asking.opened(case)
    asking.step("duhok", "note_as_handler", request, RANA, text="we spoke for an hour")
    row = asking.request("duhok", request)
    assert (row.category_group, row.language, row.urgency, row.handler_preference) == (
        "protection",
        "ckb",
        "urgent",
        "woman",
    )
    assert row.case_id is None
    hidden = [NAME, "0770", "sexual", "protection", "Rana", "spoke", case.id, case.number]
    for fact in [*asking.letters("ninewa", "duhok"), *asking.letters("duhok", "ninewa")]:
        whole = fact.head + fact.statistical + fact.operational + fact.sealed
        assert not any(word.encode() in whole for word in hidden)


def test_a_request_is_closed_for_everybody_who_was_asked_in_whatever_order_it_arrives(asking: Asking) -> None:
    case = triaged(asking)
    request = asking.ask(case)
    asking.step("ninewa", "close_handler_request", request, SUPERVISOR)
    for fact in reversed(asking.letters("ninewa", "duhok")):
        asking.deliver(fact, "ninewa", "duhok")
    assert asking.request("duhok", request).status is RequestStatus.CLOSED
    with pytest.raises(MoveRefused):
        asking.step("duhok", "offer_to_handle", request, RANA, fits_preference=True)


def test_closing_shuts_what_was_open(asking: Asking) -> None:
    request = asking.opened(triaged(asking))
    asking.step("ninewa", "close_handler_request", request, SUPERVISOR)
    asking.exchange()
    with pytest.raises(NotOpenToYou):
        asking.step("duhok", "read_as_handler", request, RANA)
    assert asking.request("duhok", request).sealed is None


def test_nothing_is_opened_before_somebody_offered_herself_and_only_by_the_cases_supervisor(asking: Asking) -> None:
    request = asking.ask(triaged(asking))
    asking.exchange()
    with pytest.raises(MoveRefused):
        asking.step("ninewa", "open_to_handler", request, SUPERVISOR)
    asking.step("duhok", "offer_to_handle", request, RANA, fits_preference=True)
    with pytest.raises(MoveRefused):
        asking.step("duhok", "offer_to_handle", request, ANOTHER, fits_preference=True)
    asking.exchange()
    with pytest.raises(RequestNotFound):
        asking.step("ninewa", "open_to_handler", request, OTHER_SUPERVISOR)
    with asking.offices["ninewa"].database.read() as session:
        row = session.get_one(HandlerRequest, request.id)
        assert [offer.name for offer in handlers.offers(session, row, by=SUPERVISOR)] == ["Rana"]
        assert handlers.offers(session, row, by=OTHER_SUPERVISOR) == []


def test_it_is_asked_only_for_who_wants_somebody_in_particular_once_and_never_behind_the_wall(asking: Asking) -> None:
    with pytest.raises(PreferenceNeeded):
        asking.ask(triaged(asking, handler_preference="any"))
    case = triaged(asking)
    asking.ask(case)
    with pytest.raises(MoveRefused, match="open already"):
        asking.ask(case)
    ninewa = asking.offices["ninewa"]
    inspector = person("inspector", Role.INSPECTORATE, unit=None)
    complaint = ninewa.open(category="complaint_against_police", handler_preference="woman")
    complaint = ninewa.triage(complaint, by=inspector)
    with pytest.raises(NotTransferable):
        asking.ask(complaint, by=inspector)


def test_a_case_waits_with_whoever_there_is_while_a_fitting_handler_is_asked_for(asking: Asking) -> None:
    ninewa = asking.offices["ninewa"]
    case = triaged(asking)
    with pytest.raises(PreferenceNotMet):
        ninewa.assign(case)
    asking.ask(case)
    assert ninewa.assign(ninewa.row(case)).status == "assigned"


def test_a_message_that_its_origin_may_not_send_is_refused(asking: Asking) -> None:
    asking.ask(triaged(asking))
    (asked,) = asking.letters("ninewa", "duhok")
    for origin, to in (("erbil", "duhok"), ("duhok", "ninewa")):
        with pytest.raises(BadInput):
            asking.deliver(asked, origin, to)


def test_a_note_that_comes_after_the_case_was_given_away_is_refused_and_changes_nothing(asking: Asking) -> None:
    case = triaged(asking)
    request = asking.opened(case)
    asking.step("duhok", "note_as_handler", request, RANA, text="we spoke for an hour")
    (late,) = [fact for fact in asking.letters("duhok", "ninewa") if fact.type == "handler_request.noted.v1"]
    with asking.offices["ninewa"].database.write() as session:
        session.get_one(CaseRecord, case.id).owned = False
    before = asking.offices["ninewa"].row(case).version
    with pytest.raises(MoveRefused, match="another governorate goes on with it"):
        asking.deliver(late, "duhok", "ninewa")
    assert asking.offices["ninewa"].row(case).version == before


@pytest.mark.parametrize("named", [SUPERVISOR.id, "account-somebody"])
def test_a_request_is_not_listed_where_its_case_stands_behind_the_wall_meanwhile(asking: Asking, named: str) -> None:
    case = triaged(asking)
    request = asking.ask(case)
    ninewa = asking.offices["ninewa"]

    def listed() -> list[str]:
        query = contract.HandlerRequestQuery().load({})
        with ninewa.database.read() as session:
            return [row.id for row in handlers.list_handler_requests(session, query, by=SUPERVISOR).items]

    assert listed() == [request.id]
    life.name_staff(ninewa, case, by=SUPERVISOR, staff_account=named)
    assert listed() == []
