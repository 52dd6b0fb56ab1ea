"""Evidence of a released case, carried from node to node with the commands that operators have."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.case.evidence import EvidenceState
from kernel.database import Database
from kernel.vault import Vault
from node.cli import app
from services.case.handlers.transfer_messages import Post
from services.case.post import post_of
from services.case.sealing import VAULT
from services.case.tables import Evidence
from tests.doors.api import give_databases
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country, Node
from tests.services.case import life
from tests.services.case.office import Office
from tests.services.case.test_evidence import kept, read
from tests.services.case.test_transfers import THERE, WORKER_THERE, Ends
from tests.services.case.test_whole_transfer import rows_of


class RealNodes(Ends):
    """Two ends that are the databases, keys and settings of two nodes."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.databases: list[Database] = []
        waiting = list(nodes.values())
        super().__init__(lambda: self._office(waiting.pop(0)))

    def _office(self, node: Node) -> Office:
        database = Database(node.settings.database_url_of("case"), service="case")
        self.databases.append(database)
        office = Office(database)
        database.info[VAULT] = Vault.at(node.settings.keys_directory)
        return office

    def post(self, node: str) -> Post:
        return post_of(self.nodes[node].settings)


@pytest.fixture
def ends(country: Country, sqlite_databases: SqliteDatabases) -> Iterator[RealNodes]:
    nodes = {name: country.add(name) for name in ("ninewa", "duhok")}
    for node in nodes.values():
        give_databases(node, sqlite_databases)
    made = RealNodes(nodes)
    yield made
    for database in made.databases:
        database.close()


def jisr(node: Node, *words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"JISR_SETTINGS": str(node.settings_file)})


def shown(node: Node, *words: str) -> Any:
    return json.loads(jisr(node, *words, "--json").stdout)


def test_a_file_is_exported_where_its_case_was_released_and_imported_where_it_went(ends: RealNodes) -> None:
    ninewa, duhok = ends.nodes["ninewa"], ends.nodes["duhok"]
    here = ends.offices["ninewa"]
    case = here.at_work(parties=[life.WOMAN])
    evidence = kept(here, ninewa.settings.home / "evidence", case)
    archive = str(ninewa.home / "evidence.jisr")
    assert jisr(ninewa, "evidence", "export", "T-NI-2026-000009-X", archive).exit_code == 2
    transfer = ends.moved(case)
    written = shown(ninewa, "evidence", "export", transfer.number, archive)
    assert (written["receiver"], written["files"], written["elsewhere"]) == ("duhok", 1, 0)
    assert jisr(ninewa, "evidence", "export", transfer.number, archive).exit_code == 2, "never overwritten"
    assert jisr(ninewa, "evidence", "import", archive).exit_code == 2, "it is for duhok"
    assert shown(duhok, "evidence", "import", archive)["files"] == 1
    assert shown(duhok, "evidence", "import", archive)["before"] == 1
    there = ends.offices["duhok"]
    (row,) = rows_of(there, Evidence, case)
    assert row.state is EvidenceState.KEPT
    there.triage(there.row(case), by=THERE)
    there.assign(there.row(case), to=WORKER_THERE, by=THERE)
    assert read(there, duhok.settings.home / "evidence", evidence, by=WORKER_THERE)["title"] == "the window"
    assert jisr(duhok, "verify").exit_code == 0
