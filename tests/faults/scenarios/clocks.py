"""Clocks that jump: of one node, while it runs. The machine's own is never touched."""

from tests.faults.scenarios.scenario import scenario
from tests.faults.servers import NODES
from tests.faults.stage import Stage
from tests.kit.small_country import GOVERNORATES

HOUR = 3600.0
JUMPS = (HOUR, -HOUR, 10 * 365.25 * 24 * HOUR, -10 * 365.25 * 24 * HOUR)


@scenario(weight=5)
def clock_jumps(stage: Stage) -> None:
    """The clock of one node jumps by an hour or by ten years, forwards or back, and later returns."""
    name, jump = stage.dice.choice(NODES), stage.dice.choice(JUMPS)
    clock = stage.country[name].clock
    stage.say(f"the clock of {name} jumps by {jump / HOUR:+,.0f} h")
    clock.write_text(str(jump))
    try:
        stage.let_pass(0.5, 2.0)
        if name in GOVERNORATES:
            stage.people_go_on(name)
    finally:
        clock.write_text("0")
    stage.let_pass(0.2, 1.0)
    if name in GOVERNORATES:
        stage.people_go_on(name)
