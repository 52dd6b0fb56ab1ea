"""A line that drops before a first batch is through: what is sent is made smaller until it gets through."""

from collections.abc import Callable
from pathlib import Path as Directory
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.proxy import Proxy
from kernel.fact import Fact
from services.sync.disclosure import Clearance
from services.sync.pace import SMALLEST_BATCH
from services.sync.position import Position
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import BAGHDAD
from tests.replication.country import Country, converged
from tests.replication.in_memory import HOME, Origin, Path

WORDS = 1024  # a hello, and room for what is packed a little above its aim
BYTES_PER_SECOND = 50_000
CARRIES = 24 * 1024  # bytes of one connection in the test with a broker; a first batch has 64 KiB
FACTS = 900


def fact(number: int, nbytes: int) -> Fact:
    """A fact that nothing makes smaller: `nbytes` are sealed."""
    head = f'{{"id":"{number}","type":"case.opened.v1","subject":"s{number}","version":1,"audience":[]}}'
    return Fact(head.encode(), b"", b"", Random(number).randbytes(nbytes), False)


def connection(path: Path, carries: int, *, answers: bool) -> None:
    """What is said arrives until so many bytes were carried; without `answers` only the first word comes back."""
    path.link.on_connected(path.now)
    while carries >= 0:
        while path.turn():
            continue
        if not path.up:
            break
        carried = path.up.pop(0)
        carries -= len(carried[0])
        path.now += len(carried[0]) / BYTES_PER_SECOND
        if carries >= 0:
            path.receive(carried)
            first = path.link.state == "connecting"
            while path.down and (answers or first):
                path.hear(path.down.pop(0))
    path.up.clear()
    path.down.clear()
    path.reading = None
    path.link.on_disconnected(path.now)


@given(
    carries=st.integers(SMALLEST_BATCH + WORDS, 200_000),
    sizes=st.lists(st.integers(0, SMALLEST_BATCH - WORDS), min_size=1, max_size=5),
    answers=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_a_line_that_carries_a_smallest_batch_between_drops_ends_whole(
    carries: int, sizes: list[int], answers: bool
) -> None:
    """Also one that never lives to carry an answer: the next connection begins with what is held."""
    origin = Origin()
    total = 0
    while total < 300_000:
        for nbytes in sizes:
            origin.write(fact(len(origin.entries) + 1, nbytes))
            total += nbytes + 150
    path = Path(origin, HOME, Clearance.OPERATIONAL, window=2**21)
    stood: list[Position] = []
    while path.replica.state.held != origin.head:
        connection(path, carries, answers=answers)
        stood.append(path.replica.state.held)
        assert len(stood) < 8 or stood[-8] != stood[-1], f"nothing moved: {stood[-1].number} of {origin.head.number}"
        path.check()


@pytest.mark.timeout(180)
def test_a_line_that_drops_after_less_than_a_first_batch_brings_everything(
    tmp_path: Directory,
    make_vhost: Callable[[], Vhost],
    make_line: Callable[[int], Proxy],
    sqlite_databases: SqliteDatabases,
) -> None:
    lines: dict[tuple[str, str], Proxy] = {}

    def through(origin: str, destination: str, vhost: Vhost) -> str:
        line = lines[origin, destination] = make_line(vhost.broker.port)
        return vhost.url_through(line.port)

    country = Country(tmp_path, make_vhost, sqlite_databases, through)
    try:
        ninewa, baghdad, line = country["ninewa"], country[BAGHDAD], lines["ninewa", BAGHDAD]
        country.start("ninewa")
        ninewa.record_some(FACTS)
        wait.until(lambda: ninewa.head_number() == FACTS, what="the journal has them")
        before = line.bytes_up
        line.drop_each_after(CARRIES)
        country.start(BAGHDAD)
        converged(ninewa, baghdad, at_least=FACTS, seconds=90)
        assert line.bytes_up - before > 2 * CARRIES, "it took three connections at the least"
    finally:
        country.close()
