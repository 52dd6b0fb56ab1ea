"""Lines that are cut in every way."""

from collections.abc import Callable

from deploy.proxy import Proxy
from tests.faults.scenarios.scenario import scenario
from tests.faults.stage import Stage


@scenario(weight=8)
def cut(stage: Stage) -> None:
    """A line is cut: its connections are reset, new ones refused."""
    origin, destination = stage.link()
    stage.say(f"cut {origin} → {destination}")
    with_line(stage, origin, destination, lambda line: line.cut())


def with_line(stage: Stage, origin: str, destination: str, harm: Callable[[Proxy], None]) -> None:
    """Harm a line, see that both sides say so, and heal it."""
    line = stage.country.lines[origin, destination]
    harm(line)
    try:
        stage.let_pass(0.2, 2.0)
        if stage.dice.random() < 0.6:
            stage.link_is_down(origin, destination)
            stage.lag_is_unknown(origin, destination)
    finally:
        line.heal()


@scenario(weight=4)
def black_hole(stage: Stage) -> None:
    """A line carries nothing and says nothing."""
    origin, destination = stage.link()
    line = stage.country.lines[origin, destination]
    stage.say(f"{origin} → {destination} is a black hole")
    line.black_hole()
    try:
        stage.let_pass(0.5, 2.0)
        stage.lag_is_unknown(origin, destination)
    finally:
        line.heal()


@scenario(weight=6)
def half_open(stage: Stage) -> None:
    """A line loses everything in one direction, and nobody is told."""
    origin, destination = stage.link()
    up = stage.dice.random() < 0.5
    line = stage.country.lines[origin, destination]
    stage.say(f"{origin} → {destination} is deaf {'upwards' if up else 'downwards'}")
    line.half_open(up=up)
    try:
        stage.let_pass(0.5, 2.0)
        stage.lag_is_unknown_at(destination if up else origin, origin, destination)
    finally:
        line.heal()


@scenario(weight=3)
def refused_connections(stage: Stage) -> None:
    """A line keeps its connections and takes no new ones; then it breaks and cannot be made again."""
    origin, destination = stage.link()
    line = stage.country.lines[origin, destination]
    stage.say(f"{origin} → {destination} refuses new connections")
    line.refuse()
    stage.let_pass(0.2, 1.0)
    with_line(stage, origin, destination, lambda each: each.cut())


@scenario(weight=5)
def broken_in_the_middle(stage: Stage) -> None:
    """A line breaks after so many bytes, again and again: in the middle of messages."""
    origin, destination = stage.link()
    line = stage.country.lines[origin, destination]
    for _ in range(stage.dice.randint(2, 6)):
        count = stage.dice.randint(1, 3000)
        stage.say(f"{origin} → {destination} breaks after {count} bytes")
        line.drop_after(count)
        stage.let_pass(0.3, 0.8)
    line.heal()


@scenario(weight=5)
def flapping(stage: Stage) -> None:
    """Every line flaps: cut and healed in turn, faster than a connection is made."""
    lines = list(stage.country.lines.values())
    times = stage.dice.randint(10, 25) * (20 if stage.full else 1)
    stage.say(f"{times} flaps")
    try:
        for _ in range(times):
            line = stage.dice.choice(lines)
            line.cut()
            stage.let_pass(0.0, 0.2)
            line.heal()
            stage.let_pass(0.0, 0.2)
    finally:
        for line in lines:
            line.heal()


@scenario(weight=4)
def slow_and_late(stage: Stage) -> None:
    """Every line has 300 ms of latency each way and 256 kbit/s, and resets now and then."""
    lines = list(stage.country.lines.values())
    stage.say("every line is slow and late")
    for line in lines:
        line.latency(0.3)
        line.rate(32_000)
    try:
        for _ in range(stage.dice.randint(1, 3)):
            stage.let_pass(0.5, 1.5)
            stage.dice.choice(lines).reset_connections()
    finally:
        for line in lines:
            line.heal()


@scenario(weight=3)
def everybody_alone(stage: Stage) -> None:
    """All lines are cut at once: every governorate works alone."""
    stage.say("all lines are cut")
    for line in stage.country.lines.values():
        line.cut()
    try:
        stage.let_pass(1.0, 3.0)
        for origin, destination in sorted(stage.country.lines)[:2]:
            if origin in ("ninewa", "duhok"):
                stage.lag_is_unknown(origin, destination)
    finally:
        for line in stage.country.lines.values():
            line.heal()
