"""A governorate that is shut out of a directorate, and comes back as operators let it: docs/links.md."""

import shutil

from services.sync.tables import Quarantine
from tests.faults.node import Node
from tests.faults.scenarios.scenario import scenario
from tests.faults.servers import VHOST
from tests.faults.stage import Stage
from tests.kit.small_country import BAGHDAD, DIRECTORATES, ERBIL


@scenario(weight=2)
def credential_revoked(stage: Stage) -> None:
    """Baghdad revokes a governorate in the middle of a backlog: it is cut off at once, and comes back with new keys."""
    origin = stage.governorate()
    baghdad, line = stage.country[BAGHDAD], stage.country.lines[origin, BAGHDAD]
    user = stage.country.user_of(origin, BAGHDAD)
    line.rate(20_000)
    stage.append_invented(origin, 400)
    stage.let_pass(0.5, 1.5)
    stage.say(f"{BAGHDAD} revokes {origin}, which is {user} at its broker")
    try:
        baghdad.jisr("revoke", origin, "--reason", "server stolen")
        open_still = stage.country.servers.gate.admin.connections(user)
        assert not open_still, f"{user} is revoked and has {len(open_still)} connections"
        stage.link_has(origin, BAGHDAD, "unauthorised")
        stage.lag_is_unknown(origin, BAGHDAD)
        held = baghdad.held(origin)
        stage.let_pass(0.5, 1.5)
        assert baghdad.held(origin) == held, f"{BAGHDAD} took something of {origin}, which it has revoked"
    finally:
        line.heal()
    _comes_back(stage, origin)


def _comes_back(stage: Stage, origin: str) -> None:
    """New keys, another enrolment in Baghdad, and at Erbil the new key by hand."""
    node = stage.country[origin]
    before = {name: _refused(stage.country[name]) for name in DIRECTORATES}
    stage.country.keep_down(origin, "engine")
    node.stop("engine")
    stage.sees(
        "what waited in its queues was judged", lambda: not any(_waits(stage, origin, at) for at in DIRECTORATES)
    )
    directory = node.settings.keys_directory
    for file in (directory / "node.key", directory / "node.pub", node.home / "links" / BAGHDAD / "link.key"):
        file.unlink()
    node.jisr("keys", "new", "--only", "node")
    shutil.copyfile(directory / "node.pub", node.settings.peer_keys_directory / f"{origin}.pub")  # for Erbil
    stage.country.keep_down(ERBIL, "engine")
    stage.country[ERBIL].stop("engine")
    stage.country.let_up(ERBIL, "engine")
    stage.country.enrol(origin)
    stage.country.let_up(origin, "engine")
    stage.say(f"{origin} is admitted again, as {stage.country.user_of(origin, BAGHDAD)}")
    stage.sees(f"{BAGHDAD} holds everything of {origin}", lambda: not stage.country.waiting_for(origin), 120)
    for name in DIRECTORATES:
        stage.country.put_aside[name, "quarantined"] += _refused(stage.country[name]) - before[name]


def _waits(stage: Stage, origin: str, directorate: str) -> int:
    return stage.country[directorate].broker.queue_lengths(VHOST).get(f"jisr.up.{origin}", 0)


def _refused(node: Node) -> int:
    """Messages that were put aside because their key or their user is not believed."""
    return node.count(Quarantine, Quarantine.reason.like("%not known here%") | Quarantine.reason.like("%by its user%"))  # type: ignore[attr-defined]
