"""Brokers and the database server that go away, forget, or take nothing."""

import time
from collections.abc import Callable

from deploy.proxy import Proxy
from tests.faults.scenarios.scenario import scenario
from tests.faults.servers import NODES, ON_POSTGRES
from tests.faults.stage import Stage
from tests.kit.small_country import DIRECTORATES, GOVERNORATES

FIRST_DROP = 120.0
TIME_OUT = 10.0  # kernel.broker.BLOCKED_SECONDS: the longest that anybody waits for a broker in alarm


@scenario(weight=6)
def broker_killed(stage: Stage) -> None:
    """A broker is killed, and started again a while later."""
    _without(stage, stage.dice.choice(NODES), kill=True, forget=False)


@scenario(weight=3)
def broker_restarted(stage: Stage) -> None:
    """A broker is stopped in order, and started again."""
    _without(stage, stage.dice.choice(NODES), kill=False, forget=False)


@scenario(weight=6)
def broker_forgets(stage: Stage) -> None:
    """A broker is killed and its data directory deleted."""
    _without(stage, stage.dice.choice(NODES), kill=True, forget=True)


def _without(stage: Stage, name: str, *, kill: bool, forget: bool) -> None:
    broker = stage.country[name].broker
    stage.say(f"the broker of {name} is {'killed' if kill else 'stopped'}{', its data deleted' if forget else ''}")
    (broker.kill if kill else broker.stop)()
    try:
        stage.let_pass(0.2, 1.5)
        if name in GOVERNORATES:
            stage.people_go_on(name)
        elif stage.dice.random() < 0.5:
            for origin in GOVERNORATES:
                stage.link_is_down(origin, name)
                stage.lag_is_unknown_at(origin, origin, name)
        if forget:
            broker.delete_data()
    finally:
        stage.country.servers.start_broker(name)


@scenario(weight=4)
def broker_alarm(stage: Stage) -> None:
    """A broker has a disk or memory alarm: it takes nothing, and says so."""
    _alarm(stage, stage.dice.uniform(1.0, 4.0))


@scenario(weight=1)
def long_broker_alarm(stage: Stage) -> None:
    """A broker has an alarm for longer than every time-out."""
    _alarm(stage, TIME_OUT * (30 if stage.full else 1.3))


def _alarm(stage: Stage, seconds: float) -> None:
    name = stage.dice.choice(NODES)
    broker, memory = stage.country[name].broker, stage.dice.random() < 0.5
    stage.say(f"{'memory' if memory else 'disk'} alarm at {name} for {seconds:.1f} s")
    alarm = broker.set_memory_alarm if memory else broker.set_disk_alarm
    alarm(True)
    try:
        stage.country.let_pass(seconds)
        if name in GOVERNORATES:
            stage.people_go_on(name)
        else:
            for origin in GOVERNORATES:
                stage.link_has(origin, name, "blocked")
    finally:
        alarm(False)


@scenario(weight=4)
def database_server_killed(stage: Stage) -> None:
    """The PostgreSQL of a governorate and of a directorate is killed, and started again."""
    postgres = stage.country.servers.postgres
    stage.say(f"the database server of {' and '.join(ON_POSTGRES)} is killed")
    postgres.kill()
    try:
        stage.let_pass(0.5, 3.0)
        others = [origin for origin in GOVERNORATES if origin not in ON_POSTGRES]
        for origin in others:
            stage.people_go_on(origin)
    finally:
        postgres.start()


@scenario(weight=2)
def flood(stage: Stage) -> None:
    """One origin writes a hundred times as much as the other; the other must not wait for it."""
    origin = stage.governorate()
    other = next(name for name in GOVERNORATES if name != origin)
    stage.append_invented(origin, 20_000 if stage.full else 1_000)
    head = stage.country[other].head()
    stage.sees(
        f"both directorates hold {head.number} of {other} while {origin} floods",
        lambda: all(stage.country[name].held(other).number >= head.number for name in DIRECTORATES),
    )


@scenario(weight=1, uses_up=True)
def backlog_over_a_bad_line(stage: Stage) -> None:
    """A backlog goes over a slow line that drops again and again; with --full, 350,000 facts over 1 Mbit/s."""
    origin, destination = stage.link()
    line = stage.country.lines[origin, destination]
    # Longer between drops than it takes to connect and have one batch acknowledged: a dozen round trips with TLS, and
    # two seconds. A line that drops sooner carries nothing.
    count, rate, every, most = (350_000, 125_000, 600.0, 3600.0) if stage.full else (4_000, 25_000, 15.0, 240.0)
    line.cut()
    stage.append_invented(origin, count)
    stage.country.wait(lambda: stage.country[origin].waiting() < 50, 60 + count / 10, "the journal has taken them")
    target = stage.country[origin].head().number
    line.heal()
    line.latency(0.15)
    line.rate(rate)
    stage.say(f"{count} facts over {origin} → {destination}, which drops every {every:g} s")
    before, began = line.bytes_up, time.monotonic()
    try:
        _drop_until(stage, lambda: stage.country[destination].held(origin).number, target, line, every, most)
    finally:
        line.heal()
    stage.counts["backlog_bytes"] = line.bytes_up - before
    stage.counts["backlog_seconds"] = round(time.monotonic() - began)


def _drop_until(stage: Stage, held: Callable[[], int], target: int, line: Proxy, every: float, most: float) -> None:
    """Let the line drop for the first time while much is under way, and then every so many seconds."""
    began = time.monotonic()
    due = began + min(every, FIRST_DROP)
    while (now_held := held()) < target:
        moment = time.monotonic()
        assert moment < began + most, f"after {most:.0f} s {now_held} of {target} are held"
        if moment >= due:
            stage.say(f"{now_held} of {target} held; the line drops")
            line.reset_connections()
            stage.counts["drops"] = stage.counts.get("drops", 0) + 1
            due += every
        stage.country.let_pass(0.5)
