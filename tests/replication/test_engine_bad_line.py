"""A line that is cut, or breaks in the middle of a message: one directorate waits, the other does not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.proxy import Proxy
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, converged
from tests.replication.test_engine_bad_days import metric
from tests.replication.test_recovery import Backup, told

Lines = dict[tuple[str, str], Proxy]


@pytest.fixture
def lines() -> Lines:
    """The lines of the country, by origin and destination."""
    return {}


@pytest.fixture
def country_on_lines(
    tmp_path: Path,
    make_vhost: Callable[[], Vhost],
    make_line: Callable[[int], Proxy],
    sqlite_databases: SqliteDatabases,
    lines: Lines,
) -> Iterator[Country]:
    def through(origin: str, destination: str, vhost: Vhost) -> str:
        line = lines[origin, destination] = make_line(vhost.broker.port)
        return vhost.url_through(line.port)

    made = Country(tmp_path, make_vhost, sqlite_databases, through)
    yield made
    made.close()


def test_work_goes_on_while_a_line_is_cut_and_arrives_when_it_heals(country_on_lines: Country, lines: Lines) -> None:
    country = country_on_lines
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    ninewa.record_some(10)
    converged(ninewa, baghdad, erbil, at_least=10)
    lines["ninewa", BAGHDAD].cut()
    ninewa.record_some(40)
    converged(ninewa, erbil, at_least=50)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "connecting", seconds=60)
    held = baghdad.held("ninewa")
    assert held is not None
    assert held.number == 10
    lines["ninewa", BAGHDAD].heal()
    converged(ninewa, baghdad, at_least=50)


def test_a_line_that_breaks_in_the_middle_of_batches_brings_them_all_once(
    country_on_lines: Country, lines: Lines
) -> None:
    country = country_on_lines
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(10)
    converged(ninewa, baghdad, at_least=10)
    for round_ in range(4):
        lines["ninewa", BAGHDAD].drop_after(3000 + 7001 * round_)
        ninewa.record_some(400)
        wait.until(lambda: ninewa.waiting_in_outbox() == 0, seconds=60)
    lines["ninewa", BAGHDAD].heal()
    converged(ninewa, baghdad, at_least=1610, seconds=60)
    assert baghdad.records("ninewa") == ninewa.records("ninewa")


def test_a_directorate_restored_while_the_line_was_cut_is_counted_and_sent_everything(
    country_on_lines: Country, lines: Lines
) -> None:
    country = country_on_lines
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=5)
    assert baghdad.stop() == 0
    backup = Backup(baghdad)
    baghdad.start()
    ninewa.record_some(20)
    converged(ninewa, baghdad, at_least=25)
    wait.until(lambda: told(ninewa) == 25, what="ninewa was told so, else it has nothing to count")
    lines["ninewa", BAGHDAD].cut()
    assert baghdad.stop() == 0
    backup.restore(mark=True)
    baghdad.start()
    lines["ninewa", BAGHDAD].heal()
    converged(ninewa, baghdad, at_least=25)
    restored = f'jisr_link_restored_total{{destination="{BAGHDAD}"}}'
    wait.until(lambda: metric(ninewa, "jisr_link_restored").get(restored, 0) == 1, what="it is counted, once")
    assert baghdad.records("ninewa") == ninewa.records("ninewa")
