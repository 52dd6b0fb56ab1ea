"""Replication by hand as an operator does it: a file from a governorate, applied at its directorate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner, Result

from kernel.clock import now
from kernel.crypto import VerifyKey
from kernel.database import Database
from kernel.fact import unpack
from kernel.outbox import OutboxRow
from node.cli import app
from services.sync import journal
from services.sync.tables import Peer, Replica
from tests.kit.nodes import Country, Node
from tests.services.sync.facts import fact, slice_of

BAGHDAD = "directorate-baghdad"


def jisr(node: Node, *words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"JISR_SETTINGS": str(node.settings_file)})


@contextmanager
def sync(node: Node) -> Iterator[Database]:
    database = Database(node.settings.database_url_of("sync"), service="sync")
    yield database
    database.close()


@pytest.fixture
def pair(country: Country) -> tuple[Node, Node]:
    """A governorate with fifty facts in its journal, and its home directorate."""
    baghdad = country.add(BAGHDAD)
    ninewa = country.add("ninewa", links=[baghdad])
    for node in (ninewa, baghdad):
        jisr(node, "migrate", "sync")
    with sync(ninewa) as database, database.write() as session:
        journal.begin(session, "ninewa")
        facts = [fact() for _ in range(50)]
        journal.append(session, [journal.take(slice_of(facts))], origin="ninewa", now=now())
    return ninewa, baghdad


def test_a_file_brings_what_the_line_does_not(pair: tuple[Node, Node], tmp_path: Path) -> None:
    ninewa, baghdad = pair
    file = tmp_path / "ninewa.jisr"
    written = json.loads(jisr(ninewa, "bundle", "export", "--to", BAGHDAD, str(file), "--json").stdout)
    assert (written["after"], written["until"], written["bytes"]) == (0, 50, file.stat().st_size)
    taken = json.loads(jisr(baghdad, "bundle", "import", str(file), "--json").stdout)
    assert (taken["held"], taken["problem"]) == (50, None)
    again = jisr(baghdad, "bundle", "import", str(file), "--json")
    assert (again.exit_code, json.loads(again.stdout)["entries"]) == (0, 0)
    with sync(baghdad) as database, database.read() as session:
        row = session.get(Replica, "ninewa")
        told = [unpack(each.envelope) for each in session.exec(select(OutboxRow))]
    assert row is not None
    assert row.number == 50
    assert [each.statistical_values()["action"] for each in told] == ["import_bundle"] * 2
    assert {each.audience for each in told} == {(BAGHDAD,)}  # what a directorate does is told to no governorate


def test_a_file_in_the_wrong_place_or_cut_is_explained(pair: tuple[Node, Node], tmp_path: Path) -> None:
    ninewa, baghdad = pair
    file = tmp_path / "ninewa.jisr"
    jisr(ninewa, "bundle", "export", "--to", BAGHDAD, str(file))
    wrong = jisr(ninewa, "bundle", "import", str(file))
    assert (wrong.exit_code, f"from ninewa for {BAGHDAD}" in wrong.stderr) == (2, True)
    twice = jisr(ninewa, "bundle", "export", "--to", BAGHDAD, str(file))
    assert (twice.exit_code, "never overwritten" in twice.stderr) == (2, True)
    missing = jisr(baghdad, "bundle", "import", str(tmp_path / "none"))
    assert (missing.exit_code, "cannot be used" in missing.stderr) == (2, True)
    file.write_bytes(file.read_bytes()[:-4])
    cut = jisr(baghdad, "bundle", "import", str(file), "--json")
    assert (cut.exit_code, json.loads(cut.stdout)["held"]) == (1, 50)


def test_a_revoked_node_is_not_heard_by_file_either(pair: tuple[Node, Node], tmp_path: Path) -> None:
    ninewa, baghdad = pair
    file = tmp_path / "ninewa.jisr"
    jisr(ninewa, "bundle", "export", "--to", BAGHDAD, str(file))
    key = VerifyKey.load(ninewa.settings.keys_directory / "node.pub")
    with sync(baghdad) as database, database.write() as session:
        revoked = Peer(
            node="ninewa", key_id=key.key_id, key=key.raw, broker_user="ninewa", serial="", admitted_at=now()
        )
        revoked.revoked_at, revoked.reason = now(), "stolen"
        session.add(revoked)
    refused = jisr(baghdad, "bundle", "import", str(file))
    assert (refused.exit_code, "No key of ninewa is believed here" in refused.stderr) == (2, True)
