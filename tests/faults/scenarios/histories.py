"""One journal that tells two histories: a governorate that goes back in time, and two machines with one identity."""

import shutil
from pathlib import Path

from tests.faults.node import Node
from tests.faults.scenarios.restores import while_stopped
from tests.faults.scenarios.scenario import scenario
from tests.faults.stage import Stage
from tests.kit.nodes import toml
from tests.kit.small_country import DIRECTORATES

RESTORED = ("rolled_back", "diverged")


@scenario(weight=4)
def governorate_restored_and_used(stage: Stage) -> None:
    """A governorate is restored from an old backup and used before it meets the directorates; then it is recovered."""
    origin = stage.governorate()
    node = stage.country[origin]
    stage.truth.unheld(origin)
    lagging = stage.dice.choice((*DIRECTORATES, None))  # one may hold less than the other
    while_stopped(stage, origin, lambda: node.back_up("kept"))
    stage.let_pass(0.3, 1.0)
    if lagging:
        stage.say(f"{lagging} falls behind")
        stage.country.lines[origin, lagging].cut()
    stage.people_go_on(origin)
    stage.let_pass(0.3, 1.0)
    ahead = [name for name in DIRECTORATES if name != lagging]
    with stage.nobody_writes(origin):  # what nobody outside holds would be lost with the machine, by anybody's rules
        stage.sees("a directorate holds it all", lambda: not node.waiting() and _held(stage, origin, ahead))
        for name in DIRECTORATES:
            stage.country.lines[origin, name].cut()
        forgets = stage.dice.random() < 0.5
        stage.say(f"{origin} is restored from a backup{', its mark with it' if forgets else ''}")
        while_stopped(stage, origin, lambda: _restore(node, forgets=forgets))
    stage.people_go_on(origin)
    for name in DIRECTORATES:
        stage.country.lines[origin, name].heal()
    stage.link_has(origin, ahead[0], *RESTORED)
    with stage.nobody_writes(origin):
        _recover(stage, node)
    stage.country.recovered = True


def _held(stage: Stage, origin: str, directorates: list[str]) -> bool:
    head = stage.country[origin].head()
    return all(stage.country[name].held(origin) == head for name in directorates)


def _restore(node: Node, *, forgets: bool) -> None:
    node.restore("kept")
    if forgets:
        (node.home / "journal.mark").unlink()


def _recover(stage: Stage, node: Node) -> None:
    planned = node.said("sync", "recover", "--dry-run")
    said = node.said("sync", "recover", "--yes")
    stage.say(f"recovered: {said['result']}; handed over: {said['handed']}")
    assert said["plan"] == planned["plan"], "the recovery did something else than its dry run said"
    stage.counts["entries_recovered"] = said["result"]["recovered"]
    stage.counts["entries_renumbered"] = said["result"]["renumbered"]
    for fork in said["plan"]["forks"]:  # the other directorate had heard more by then, of what was recorded since
        there, after = fork["source"], fork["after"]
        stage.say(f"{there} holds another history after {after}")
        stage.replica_is(node.name, there, "diverged")
        stage.country[there].said("sync", "set-aside", node.name, "--after", str(after), "--reason", "recovered")
        node.jisr("link", "resume", there)
        stage.counts["histories_set_aside"] = stage.counts.get("histories_set_aside", 0) + 1


@scenario(weight=2)
def two_machines(stage: Stage) -> None:
    """A governorate's machine is copied and the copy started too; both are stopped until the copy is gone."""
    origin = stage.governorate()
    node = stage.country[origin]
    while_stopped(stage, origin, lambda: node.back_up("twin"))
    settings = _settings_of_a_copy(node)
    stage.country.wait(node.ready, 60, f"{origin} is ready again")
    stage.say(f"a copy of {origin} is started")
    twin = node.servers.nursery("engine").bear(settings, node.log("twin"), {})
    try:
        for name in DIRECTORATES:
            stage.replica_is(origin, name, "duplicate")
            stage.link_has(origin, name, "duplicate")
    finally:
        twin.send_signal(9)
        twin.wait(20)
    stage.say("the copy is gone")
    for name in DIRECTORATES:
        stage.country[name].jisr("link", "resume", origin)
        node.jisr("link", "resume", name)


def _settings_of_a_copy(node: Node) -> Path:
    """A home beside the first one, with the same keys, links and copies of the databases, and ports of its own."""
    home = node.home / "twin"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    values = node.copied("twin", home)
    file = home / "settings.toml"
    file.write_text(toml(values))
    return file
