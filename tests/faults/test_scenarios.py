"""The catalogue of scenarios, without a country."""

import random

from kernel.crash import POINTS
from tests.faults.scenarios import SCENARIOS, processes
from tests.faults.scenarios.scenario import chosen
from tests.faults.servers import ROOT


def test_every_crash_point_is_reached_by_a_scenario_or_elsewhere() -> None:
    assert {*processes.REACHED, *processes.REACHED_ELSEWHERE} == set(POINTS)


def test_every_scenario_says_what_it_does() -> None:
    assert all(scenario.tells.endswith(".") for scenario in SCENARIOS.values())


def test_the_same_seed_and_round_are_the_same_scenario() -> None:
    first = [chosen(7, number).name for number in range(50)]
    random.random()
    assert first == [chosen(7, number).name for number in range(50)]
    assert len(set(first)) > 10


def test_every_scenario_and_crash_point_is_in_the_documents() -> None:
    page = (ROOT / "docs" / "faults.md").read_text("utf-8")
    rows = {f"| `{each.name}` | {each.tells} |" for each in SCENARIOS.values()}
    rows |= {f"| `{point}` | {meaning} |" for point, meaning in POINTS.items()}
    assert not [row for row in sorted(rows) if row not in page]
