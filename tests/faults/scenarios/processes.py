"""Processes that die, at a point that has a name or at any moment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from tests.faults.node import environment_of_crash
from tests.faults.scenarios.scenario import scenario
from tests.faults.servers import NODES
from tests.faults.stage import Stage

IN_SERVICES = ("before_commit", "after_commit", "after_outbox_commit", "after_relay_publish")
IN_ENGINE = ("mid_journal", "after_journal_commit", "after_publish")
IN_REPLICA = ("mid_apply", "after_apply", "after_acknowledge")
CATCHING_UP = ("before_fold",)  # in a replica that has more to take
REACHED = (*IN_SERVICES, *IN_ENGINE, *IN_REPLICA, *CATCHING_UP)
# No mail server here, nothing to relay, and no 20,000 entries: tests/services/notify and tests/replication have these.
REACHED_ELSEWHERE = ("after_mail", "after_relay", "mid_fold")

BACKLOG = 1_000  # facts: more batches than one delivery takes


def _where(stage: Stage, point: str) -> tuple[str, str]:
    """A node and the kind of its process in which this point is reached."""
    if point in IN_SERVICES:
        return stage.governorate(), "services"
    return (stage.governorate() if point in IN_ENGINE else stage.directorate()), "engine"


@scenario(weight=12)
def crash_point(stage: Stage) -> None:
    """A process dies at a named point, by SIGKILL, and is started again."""
    point = stage.dice.choice(REACHED)
    name, kind = _where(stage, point)
    node = stage.country[name]
    # It must outlive the round: so does the process that is started again.
    once = node.home / f"crashed-{stage.dice.getrandbits(32)}"
    stage.say(f"the {kind} of {name} die at {point}")
    node.environment[kind] = dict(environment_of_crash(point, once))
    node.expected_deaths.add(kind)
    backlog = _backlog_for(stage, name) if point in CATCHING_UP else nullcontext()
    node.stop(kind)
    with backlog:
        node.start(kind)
    try:
        stage.sees(f"the {kind} of {name} reached {point}", once.exists, 60)
        stage.let_pass(0.2, 1.0)
    finally:
        node.environment.pop(kind, None)
    stage.country.wait(node.ready, 60, f"{name} is ready again")
    node.expected_deaths.discard(kind)


@contextmanager
def _backlog_for(stage: Stage, directorate: str) -> Iterator[None]:
    """Let a governorate run ahead of a directorate, until the caller's work is done."""
    origin = stage.governorate()
    line = stage.country.lines[origin, directorate]
    line.cut()
    stage.append_invented(origin, BACKLOG)
    stage.country.wait(lambda: stage.country[origin].waiting() < 50, 60, f"the journal of {origin} has the backlog")
    try:
        yield
    finally:
        line.heal()


@scenario(weight=8)
def kill(stage: Stage) -> None:
    """Up to three processes of any nodes are killed at any moment."""
    for _ in range(stage.dice.randint(1, 3)):
        node = stage.country[stage.dice.choice(NODES)]
        kind = stage.dice.choice(node.kinds)
        stage.say(f"SIGKILL to the {kind} of {node.name}")
        node.kill(kind)
        stage.let_pass(0.0, 1.0)


@scenario(weight=4)
def kill_everything(stage: Stage) -> None:
    """A power cut at one node: all its processes and its broker are killed."""
    node = stage.country[stage.dice.choice(NODES)]
    stage.say(f"power cut at {node.name}")
    stage.country.keep_down(node.name)
    node.kill()
    node.broker.kill()
    stage.let_pass(0.5, 2.0)
    stage.country.servers.start_broker(node.name)
    stage.country.let_up(node.name)


@scenario(weight=4)
def three_kills_while_starting(stage: Stage) -> None:
    """One process is killed three times while it starts."""
    node = stage.country[stage.dice.choice(NODES)]
    kind = stage.dice.choice(node.kinds)
    stage.country.keep_down(node.name, kind)
    for _ in range(3):
        node.kill(kind)
        node.start(kind)
        after = stage.dice.uniform(0.0, 0.8)
        stage.say(f"SIGKILL to the {kind} of {node.name}, {after:.2f} s after its start")
        stage.country.let_pass(after)
    node.kill(kind)
    stage.country.let_up(node.name, kind)


@scenario(weight=4)
def stopped_receiver(stage: Stage) -> None:
    """A directorate's engine stands still (SIGSTOP) and then goes on."""
    name = stage.directorate()
    node = stage.country[name]
    origin = stage.governorate()
    stage.say(f"SIGSTOP to the engine of {name}")
    node.signal(signal.SIGSTOP, "engine")
    try:
        stage.let_pass(1.0, 60.0 if stage.full else 4.0)
        stage.lag_is_unknown_at(origin, origin, name)
    finally:
        node.signal(signal.SIGCONT, "engine")
