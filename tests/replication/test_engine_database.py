"""The database goes away under a running engine, and comes back: nothing is lost and nothing requeued in a loop."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.postgres import PrivatePostgres
from services.sync.tables import JournalEntry
from tests.kit import wait
from tests.kit.databases import PostgresDatabases
from tests.kit.postgres import private_postgres
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import BAGHDAD
from tests.replication.country import Country, converged


@pytest.fixture
def own_postgres() -> Iterator[PrivatePostgres]:
    """A server for one test, which may stop it."""
    with private_postgres() as server:
        yield server


@pytest.fixture
def postgres_country(
    tmp_path: Path, make_vhost: Callable[[], Vhost], own_postgres: PrivatePostgres
) -> Iterator[Country]:
    made = Country(tmp_path, make_vhost, PostgresDatabases(lambda: own_postgres))
    yield made
    made.close()


def test_engines_wait_for_a_database_server_that_was_restarted(
    postgres_country: Country, own_postgres: PrivatePostgres
) -> None:
    country = postgres_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(20)
    converged(ninewa, baghdad, at_least=20)
    own_postgres.stop()
    wait.until(lambda: "control.waits" in ninewa.log(), seconds=60)
    own_postgres.start()
    ninewa.record_some(20)
    converged(ninewa, baghdad, at_least=40, seconds=90)
    assert ninewa.count(JournalEntry) == 40
    assert not ninewa.died()
    assert not baghdad.died()


def test_a_locked_database_delays_the_recorder_and_loses_nothing(sqlite_country: Country) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=5)
    holder = sqlite3.connect(ninewa.home / "sync.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    ninewa.record_some(5)
    wait.stays(lambda: ninewa.waiting_in_outbox() == 5, seconds=2)
    holder.execute("ROLLBACK")
    holder.close()
    converged(ninewa, baghdad, at_least=10, seconds=60)
    assert ninewa.vhost.queue_lengths().get("recorder.dead", 0) == 0
