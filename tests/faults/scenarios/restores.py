"""Databases that go back in time, or are gone."""

from collections.abc import Callable

from tests.faults.scenarios.scenario import scenario
from tests.faults.stage import Stage
from tests.kit.small_country import BAGHDAD, ERBIL


@scenario(weight=4)
def directorate_restored(stage: Stage) -> None:
    """A directorate is restored from an old backup; every origin sends again from what it holds."""
    name = stage.directorate()
    node = stage.country[name]
    stage.truth.unheld(name)
    with stage.nobody_writes(BAGHDAD):  # directives of its own that the backup lacks are another matter
        stage.sees(f"the journal of {name} is held", lambda: not stage.country.waiting_for(name))
        while_stopped(stage, name, lambda: node.back_up("kept"))
        stage.let_pass(1.0, 3.0)
        stage.say(f"{name} is restored from a backup")
        while_stopped(stage, name, lambda: node.restore("kept"))


@scenario(weight=2)
def directorate_database_lost(stage: Stage) -> None:
    """A directorate's database is lost; every origin sends everything again."""
    node = stage.country[ERBIL]
    stage.truth.unheld(ERBIL)
    if node.head().number:
        stage.say("it has a journal of its own by now, which nobody can send again: restored instead")
        directorate_restored(stage)
        return
    stage.say(f"the database of {ERBIL} is lost")
    while_stopped(stage, ERBIL, lambda: node.lose_database("sync"))
    for what in ("parked", "quarantined", "told differently"):  # rows of that database, too
        stage.country.put_aside.pop((ERBIL, what), None)


def while_stopped(stage: Stage, name: str, work: Callable[[], object]) -> None:
    """Do `work` while no process of a node runs."""
    node = stage.country[name]
    stage.country.keep_down(name)
    node.stop()
    try:
        work()
    finally:
        stage.country.let_up(name)
