"""Receipts over the API: asked by whoever holds one, guessed by whoever does not, reported without an account."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from contracts.roles import Role
from services.gateway.slips import REPORTS, TRIES, Slip
from services.gateway.state import TRIES_CODE
from tests.doors.api import NO_TO_ALL, OPENING, TRIAGED, Person, Town, refused, shift

AFFECTED = {"role": "affected", "name": "A", "sex": "female", "age": 30}
REPORT = {"answers": NO_TO_ALL, "category": "harassment", "district": "mosul", "narrative": "every evening"}


class From(HTTPAdapter):
    """Requests from an address of one's own: attempts are counted by address, and other tests share the first."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self.address, 0))


class Caller(Person):
    """Somebody without an account, at an address of their own."""

    address = "127.0.0.7"

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with requests.Session() as session:
            session.mount("http://", From(self.address))
            return session.post(f"{self.url}{path}", json=body or {}, headers=named, timeout=30)


class Stranger(Caller):
    address = "127.0.0.9"


class Mistaken(Caller):
    address = "127.0.0.11"


class Office(Caller):
    address = "127.0.0.13"


@pytest.fixture
def later(ninewa: Town) -> Iterator[Callable[[requests.Response], None]]:
    """Lets as much time go by at the node as a refusal asks for."""

    def wait_for(answer: requests.Response) -> None:
        shift(ninewa.node, int(answer.headers["Retry-After"]) + 1)

    yield wait_for
    shift(ninewa.node, 0)


@pytest.fixture(scope="module")
def caller(ninewa: Town) -> Person:
    return Caller(ninewa.node.api)


@pytest.fixture(scope="module")
def intake(ninewa: Town) -> Person:
    return ninewa.person("receipts-intake", Role.INTAKE_OFFICER, unit="ninewa-7")


@pytest.fixture(scope="module")
def leading(ninewa: Town) -> Person:
    return ninewa.person("receipts-leading", Role.UNIT_SUPERVISOR, unit="intake")


def issue(intake: Person, **headers: str) -> dict[str, Any]:
    case = intake.make("/cases", OPENING)
    answer = intake.post(f"/cases/{case['id']}/receipts", {}, **headers)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return {**shown, "case": case}


def test_a_receipt_opens_the_state_to_whoever_holds_it_and_nothing_else(caller: Person, intake: Person) -> None:
    given = issue(intake)
    assert set(given) == {"receipt", "proof", "case"}
    answer = caller.do("/receipts/state", {"receipt": given["receipt"]})
    assert answer == {"state": "received"}
    spoken = given["receipt"].replace(" ", "-")
    assert caller.do("/receipts/add", {"receipt": spoken, "text": "and again today"}) == answer


def test_a_lost_answer_asked_for_again_gives_the_same_receipt(intake: Person) -> None:
    case = intake.make("/cases", OPENING)
    first, again = (
        intake.post(f"/cases/{case['id']}/receipts", {}, Idempotency_Key="the same receipt").json() for _ in range(2)
    )
    assert first == again
    assert intake.post(f"/cases/{case['id']}/receipts", {}).json() != first


def test_somebody_reports_without_an_account_and_is_worked_for(caller: Person, leading: Person) -> None:
    given = caller.make("/reports", REPORT)
    found = leading.read("/cases", category="harassment")["items"]
    assert [case["channel"] for case in found] == ["online"]
    leading.do(f"/cases/{found[0]['id']}/triage", TRIAGED)
    assert caller.do("/receipts/state", {"receipt": given["receipt"]}) == {"state": "received"}
    case = leading.do(f"/cases/{found[0]['id']}/identity", {"reason": "to choose a handler"})
    assert case["identity"]["narrative"] == REPORT["narrative"]


def test_a_report_sent_twice_with_one_key_is_one_case(caller: Person, leading: Person) -> None:
    body = {**REPORT, "category": "begging"}
    first, again = (caller.post("/reports", body, Idempotency_Key="retry").json() for _ in range(2))
    assert first == again
    assert len(leading.read("/cases", category="begging")["items"]) == 1


def test_what_is_mistyped_is_said_at_once(caller: Person, intake: Person) -> None:
    digits = issue(intake)["receipt"]
    wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    assert refused(caller.post("/receipts/state", {"receipt": wrong}), 422)["code"] == "mistyped_receipt"
    assert refused(caller.post("/receipts/state", {"receipt": "1234"}), 422)["code"] == "bad_input"


def test_a_report_is_bounded_before_it_is_read(caller: Person) -> None:
    body = {**REPORT, "narrative": "x" * 70_000}
    assert refused(caller.post("/reports", body), 413)["details"] == {"limit": 64 * 1024}
    for wrong in ({"unit": "ninewa-1"}, {"narrative": "x" * 8001}, {"narrative": "a\u202eb"}):
        assert refused(caller.post("/reports", {**REPORT, **wrong}), 422)["code"] == "bad_input"


def test_a_directorate_takes_no_reports(baghdad: Town) -> None:
    assert refused(baghdad.nobody().post("/reports", REPORT), 404)["code"] == "not_at_this_node"


def test_no_account_can_ask_in_nobodys_name(ninewa: Town) -> None:
    answer = ninewa.person("receipts-admin", Role.NODE_ADMIN).post(
        "/accounts", {"login": "receipts-public", "password": "x" * 12, "name": "x", "roles": ["public"]}
    )
    assert refused(answer, 422)["code"] == "bad_input"


def test_whoever_guesses_waits_longer_and_longer_and_so_does_whoever_floods_and_nobody_else(
    ninewa: Town, caller: Person, intake: Person
) -> None:
    stranger = Stranger(ninewa.node.api)
    codes = []
    for number in range(TRIES + 3):
        answer = stranger.post("/receipts/state", {"receipt": Slip.of(b"another key", bytes([number])).digits})
        codes.append(answer.status_code)
    assert codes == [403] * TRIES + [429] * 3
    assert int(answer.headers["Retry-After"]) > 0
    for _ in range(REPORTS + 1):
        answer = stranger.post("/reports", {**REPORT, "category": "drugs"})
    assert answer.status_code == 429
    assert caller.do("/receipts/state", {"receipt": issue(intake)["receipt"]}) == {"state": "received"}


def test_a_right_receipt_is_heard_again_when_the_time_to_wait_is_over(
    ninewa: Town, intake: Person, later: Callable[[requests.Response], None]
) -> None:
    mistaken, given = Mistaken(ninewa.node.api), issue(intake)["receipt"]
    for number in range(TRIES):
        mistaken.post("/receipts/state", {"receipt": Slip.of(b"a third key", bytes([number])).digits})
    refusal = mistaken.post("/receipts/state", {"receipt": given})
    assert refusal.status_code == 429
    later(refusal)
    assert mistaken.do("/receipts/state", {"receipt": given}) == {"state": "received"}


def test_whoever_guesses_codes_is_refused_and_a_right_code_is_heard_when_the_time_to_wait_is_over(
    ninewa: Town, leading: Person, later: Callable[[requests.Response], None]
) -> None:
    asked = referred(ninewa, leading)
    guesser, elsewhere = Office(ninewa.node.api), Caller(ninewa.node.api)
    wrong = {"code": "22222-22222"}
    answers = [
        guesser.post("/answers/sheet", {"number": f"R-NI-2026-9{at:05d}-X", **wrong}) for at in range(TRIES_CODE)
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["code"] for answer in answers} == {"wrong_code"}
    for path, more in (("/answers/sheet", {}), ("/answers", {"answer": "accept"})):
        refusal = guesser.post(path, {**asked, **more})
        assert refused(refusal, 429)["code"] == "too_many_requests"
    assert elsewhere.do("/answers/sheet", asked)["number"] == asked["number"]
    later(refusal)
    assert guesser.do("/answers/sheet", asked)["number"] == asked["number"]
    assert guesser.do("/answers", {**asked, "answer": "accept"})["status"] == "accepted"


def referred(town: Town, leading: Person) -> dict[str, str]:
    """The number of a referral that waits for an answer, and its code."""
    handler = town.person("codes-handler", Role.CASE_WORKER, unit="intake")
    case = leading.make("/cases", {**OPENING, "category": "harassment", "parties": [AFFECTED]})
    leading.do(f"/cases/{case['id']}/triage", TRIAGED)
    leading.do(f"/cases/{case['id']}/assign", {"handler_id": handler.id})
    handler.do(f"/cases/{case['id']}/start")
    sent = {"destination": "health", "office": "the clinic", "urgency": "urgent", "text": "please", "consent": "given"}
    referral = handler.make(f"/cases/{case['id']}/referrals", sent)
    given = handler.do(f"/referrals/{referral['id']}/code")
    return {"number": referral["number"], "code": given["code"]}
