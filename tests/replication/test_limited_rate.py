"""A limit on a link, measured in the bytes that a slow line carried."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.proxy import Proxy
from services.sync.pace import BATCH_SECONDS, BURST_SECONDS
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, converged

RATE = 8 * 1024
LINE = 64 * 1024  # what the line itself carries, eight times the limit
LATE_SECONDS = 0.15
WORDS = 1024  # a second: nodes of this country say hello once a second, and words are not limited
FACTS = 1200  # some 100 KiB on a statistical link: twelve seconds of the limit


@pytest.fixture
def lines() -> dict[str, Proxy]:
    return {}


@pytest.fixture
def country(
    tmp_path: Path,
    make_vhost: Callable[[], Vhost],
    make_line: Callable[[int], Proxy],
    sqlite_databases: SqliteDatabases,
    lines: dict[str, Proxy],
) -> Iterator[Country]:
    def through(origin: str, destination: str, vhost: Vhost) -> str:
        if origin != "ninewa":
            return vhost.url
        line = lines[destination] = make_line(vhost.broker.port)
        line.latency(LATE_SECONDS)
        line.rate(LINE)
        return vhost.url_through(line.port)

    made = Country(tmp_path, make_vhost, sqlite_databases, through)
    with made["ninewa"].settings_file.open("a") as settings:
        settings.write(f"rate_bytes_per_second = {RATE}\n")  # of the last link in the file, that to Erbil
    yield made
    made.close()


def test_a_link_with_a_limit_keeps_within_it_and_the_other_link_does_not_wait_for_it(
    country: Country, lines: dict[str, Proxy]
) -> None:
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    ninewa.record_some(1)
    converged(ninewa, baghdad, erbil, seconds=60)
    before, began = lines[ERBIL].bytes_up, time.monotonic()
    ninewa.record_some(FACTS)
    converged(ninewa, baghdad, at_least=FACTS + 1, seconds=60)
    assert erbil.held("ninewa") != ninewa.head()

    def kept() -> bool:
        sent, spent = lines[ERBIL].bytes_up - before, time.monotonic() - began
        limit = RATE * (spent + BURST_SECONDS + BATCH_SECONDS) + WORDS * (spent + 1)
        assert sent <= limit, f"{sent} bytes in {spent:.1f} s, at most {limit:.0f}"
        return erbil.held("ninewa") == ninewa.head()

    wait.until(kept, seconds=120, what="Erbil holds everything", every=0.2)
    sent, spent = lines[ERBIL].bytes_up - before, time.monotonic() - began
    assert sent > RATE * spent / 3, f"{sent} bytes in {spent:.1f} s: the limit was not used"
