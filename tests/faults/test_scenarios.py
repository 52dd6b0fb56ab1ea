"""The catalogue of scenarios, without a country."""

import random

from kernel.crash import POINTS
from tests.faults.scenarios import SCENARIOS, processes
from tests.faults.scenarios.scenario import chosen


def test_every_crash_point_is_reached_by_a_scenario_or_elsewhere() -> None:
    assert {*processes.REACHED, *processes.REACHED_ELSEWHERE} == set(POINTS)


def test_every_scenario_says_what_it_does() -> None:
    assert all(scenario.tells.endswith(".") for scenario in SCENARIOS.values())


def test_the_same_seed_and_round_are_the_same_scenario() -> None:
    first = [chosen(7, number).name for number in range(50)]
    random.random()
    assert first == [chosen(7, number).name for number in range(50)]
    assert len(set(first)) > 10
