"""Messages that are lost, repeated and passed on in another order, by a broker that nobody should trust."""

from tests.faults.meddler import Habit, Meddler
from tests.faults.scenarios.scenario import scenario
from tests.faults.stage import Stage


def _meddle(stage: Stage, *, up: bool, habit: Habit) -> None:
    origin, destination = stage.link()
    exchange = "jisr.up" if up else "jisr.down"
    key = f"{'up' if up else 'down'}.{origin}"
    stage.say(f"somebody meddles with {key} at {destination}: {habit}")
    broker = stage.country[destination].broker
    meddler = Meddler(broker, exchange, key, f"{exchange}.{origin}", stage.dice, habit)
    meddler.start()
    try:
        stage.let_pass(2.0, 4.0)
    finally:
        meddler.stop()
    stage.say(f"lost {meddler.lost}, repeated {meddler.repeated}, delayed {meddler.delayed}")
    for name in ("lost", "repeated", "delayed"):
        stage.counts[f"messages_{name}"] = getattr(meddler, name)


@scenario(weight=4)
def repeated_and_reordered(stage: Stage) -> None:
    """A broker repeats messages and passes them on in another order, upwards or downwards."""
    _meddle(stage, up=stage.dice.random() < 0.7, habit=Habit(repeats=0.4, delays=0.6))


@scenario(weight=4)
def lost_acknowledgements(stage: Stage) -> None:
    """A broker loses what a directorate answers."""
    _meddle(stage, up=False, habit=Habit(loses=0.9))


@scenario(weight=4)
def lost_messages(stage: Stage) -> None:
    """A broker loses half of what a governorate sends, and confirms it all the same."""
    _meddle(stage, up=True, habit=Habit(loses=0.5, delays=0.1))
