"""Numbers have no gaps and no doubles: under concurrency, under failures, in every sequence of their own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from contracts import case as contract
from contracts.roles import Role
from kernel.errors import JisrError
from services.case import handlers
from services.case.refusals import UnitNeeded
from tests.services.case.office import HANDLER, INTAKE, OPENING, Office, person

CLERKS = 8
EACH = 10


class PowerCut(Exception):
    """Something that fails in the middle of a transaction."""


def places(numbers: list[str]) -> list[int]:
    return sorted(int(number.split("-")[-2]) for number in numbers)


def test_clerks_at_the_same_time_leave_no_gap_and_no_double(office: Office) -> None:
    def record(clerk: int) -> list[str]:
        by = person(f"clerk-{clerk}", Role.INTAKE_OFFICER)
        return [office.open(by=by).number for _ in range(EACH)]

    with ThreadPoolExecutor(CLERKS) as clerks:
        numbers = [number for made in clerks.map(record, range(CLERKS)) for number in made]
    assert places(numbers) == list(range(1, CLERKS * EACH + 1))


def test_failures_among_concurrent_clerks_give_their_numbers_back(office: Office) -> None:
    def record(turn: int) -> str | None:
        if turn % 3:
            return office.open().number
        with pytest.raises(PowerCut):
            _open_and_fail(office)
        return None

    with ThreadPoolExecutor(CLERKS) as clerks:
        numbers = [number for number in clerks.map(record, range(60)) if number]
    assert len(numbers) == 40
    assert places(numbers) == list(range(1, 41))
    assert len(office.facts()) == 40


def _open_and_fail(office: Office) -> None:
    """Record a case, and let the light go out before it is kept."""

    def work(session: Session) -> None:
        values = contract.OpenCase().load(OPENING)
        handlers.open_case(session, values, by=INTAKE, now=office.now, iso="NI", rules=office.rules)
        session.flush()
        raise PowerCut

    office.run(work)


def test_a_refused_request_takes_no_number(office: Office) -> None:
    nowhere = person("hotline", Role.INTAKE_OFFICER, unit=None)
    first = office.open().number
    for _ in range(3):
        with pytest.raises(UnitNeeded):
            office.open(by=nowhere)
    assert places([first, office.open().number]) == [1, 2]
    case = office.open()
    for _ in range(3):
        with pytest.raises(JisrError):
            office.refer(case, by=HANDLER)
    assert places([office.refer(office.at_work()).number]) == [1]


def test_each_year_and_each_kind_has_a_sequence_of_its_own(office: Office) -> None:
    office.now = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
    old = [office.at_work().number, office.open(by=INTAKE).number]
    office.wait(hours=2)
    new = office.at_work()
    assert [number[:14] for number in old] == ["NI-2026-000001", "NI-2026-000002"]
    assert new.number.startswith("NI-2027-000001-")
    assert office.refer(new).number.startswith("R-NI-2027-000001-")
