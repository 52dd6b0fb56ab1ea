"""A burnt server: the journal came back, and the file that was put away brings back who the people were."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner, Result

from contracts.safekeeping import begin
from kernel.clock import now
from kernel.crypto import OpeningKey
from kernel.database import Database
from kernel.fact import Fact, unpack
from kernel.outbox import OutboxRow
from kernel.safekeeping import TYPE
from kernel.vault import Vault
from node import restoring
from node.cli import app
from node.processes import prepare
from services.case.sealing import VAULT
from services.sync import journal
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import Vhost
from tests.services.case.office import HANDLER, Office
from tests.services.case.test_identity_at_rest import TOLD, ZAINAB
from tests.services.sync.facts import slice_of

SERVICES = ("case", "forum", "sync")


def jisr(node: Node, *words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"JISR_SETTINGS": str(node.settings_file)})


def server(directory: Path, make_vhost: Callable[[], Vhost]) -> Node:
    """A machine on which Ninewa is set up, with keys of its own."""
    directory.mkdir()
    node = Country(directory, make_vhost).add("ninewa")
    for service in SERVICES:
        assert jisr(node, "migrate", service).exit_code == 0
    with database(node, "sync") as sync, sync.write() as session:
        journal.begin(session, "ninewa")
    return node


class database:  # noqa: N801 - reads as a sentence
    """A node's database, closed at the end."""

    def __init__(self, node: Node, service: str) -> None:
        self._opened = Database(node.settings.database_url_of(service), service=service)

    def __enter__(self) -> Database:
        return self._opened

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def told(node: Node) -> list[Fact]:
    with database(node, "case") as case, case.read() as session:
        return [unpack(row.envelope) for row in session.exec(select(OutboxRow).order_by("id"))]


def test_identities_come_back_with_the_file_that_was_put_away(tmp_path: Path, make_vhost: Callable[[], Vhost]) -> None:
    burnt, file = server(tmp_path / "burnt", make_vhost), tmp_path / "stick" / "ninewa-recovery.key"
    file.parent.mkdir()
    made = json.loads(jisr(burnt, "keys", "recovery", str(file), "--json").stdout)
    assert made[0]["private"] == str(file)
    assert not [path for path in burnt.home.rglob("*") if path.is_file() and path.read_bytes() == file.read_bytes()]
    with database(burnt, "case") as rows:
        begin(rows, burnt.settings)
        office = Office(rows)
        rows.info[VAULT] = Vault.at(burnt.settings.keys_directory)
        case = office.at_work(parties=[ZAINAB], narrative=TOLD)
    assert json.loads(jisr(burnt, "keys", "rotate", "--json").stdout)[0]["changed"]
    facts = told(burnt)
    assert TYPE in {fact.type for fact in facts}

    new = server(tmp_path / "new", make_vhost)
    with database(new, "sync") as sync, sync.write() as session:  # what `jisr sync recover` fetched
        journal.append(session, [journal.take(slice_of(facts))], origin="ninewa", now=now())
    done = restoring.restore(prepare(new.settings_file), OpeningKey.load(file))
    assert done["case"] > 0
    assert [Path(name).name for name in done["keys"]] == ["hash.key", "identity.key", "seal.key"]
    with database(new, "case") as rows:
        office = Office(rows)
        rows.info[VAULT] = Vault.at(new.settings.keys_directory)
        found = office.get(case, HANDLER)
        assert found.identity is not None
        assert (found.identity.narrative, found.identity.parties[0].name) == (TOLD, ZAINAB["name"])
    again = restoring.restore(prepare(new.settings_file), OpeningKey.load(file))
    assert again["case"] == 0

    wrong = restoring.restore(prepare(new.settings_file), OpeningKey.new())
    assert (wrong["case"], wrong["sealed_to_another"] > 0) == (0, True)


def test_the_private_half_must_leave_the_node(tmp_path: Path, make_vhost: Callable[[], Vhost]) -> None:
    node = server(tmp_path / "ninewa", make_vhost)
    for inside in (node.home / "recovery.key", node.settings.keys_directory / "recovery.key"):
        refused = jisr(node, "keys", "recovery", str(inside))
        assert refused.exit_code == 2
        assert not inside.exists()
    assert not (node.home / "recovery.pub").exists()


@pytest.mark.parametrize("words", [("--only", "hash"), ("--only", "seal")])
def test_only_two_kinds_of_keys_are_changed_by_rotating(
    tmp_path: Path, make_vhost: Callable[[], Vhost], words: tuple[str, ...]
) -> None:
    node = Country(tmp_path, make_vhost).add("ninewa")
    assert jisr(node, "keys", "rotate", *words).exit_code == 2


def test_the_nodes_signing_key_is_changed_while_no_engine_runs(tmp_path: Path, make_vhost: Callable[[], Vhost]) -> None:
    node = server(tmp_path / "ninewa", make_vhost)
    first, second = (json.loads(jisr(node, "keys", "rotate", "--only", "node", "--json").stdout)[0] for _ in range(2))
    assert (first["after"], second["after"]) == (1, 2)
    assert Path(second["public"]).exists()
    assert Path(second["public"]).with_suffix(".key").stat().st_mode & 0o777 == 0o600
