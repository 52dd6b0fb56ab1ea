"""A scenario: a function of a stage, its name, how often chance takes it, and whether it uses the country up."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.stage import Stage

Play = Callable[[Stage], None]


@dataclass(frozen=True)
class Scenario:
    """`tells`: one sentence, for people. `uses_up`: the next round needs a new country."""

    name: str
    tells: str
    play: Play
    weight: int
    uses_up: bool


SCENARIOS: dict[str, Scenario] = {}


def chosen(seed: int, number: int) -> Scenario:
    """What chance takes for a round: the same for the same seed and number."""
    dice = random.Random(f"{seed}:{number}:scenario")
    return dice.choices(list(SCENARIOS.values()), [each.weight for each in SCENARIOS.values()])[0]


def scenario(*, weight: int = 4, uses_up: bool = False) -> Callable[[Play], Play]:
    """Register a function as a scenario under its own name; the first line of its docstring is its sentence."""

    def register(play: Any) -> Any:
        name = play.__name__.replace("_", "-")
        tells = (play.__doc__ or "").strip().split("\n")[0]
        SCENARIOS[name] = Scenario(name, tells, play, weight, uses_up)
        return play

    return register
