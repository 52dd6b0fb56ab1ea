"""What an operator does about identity: keys, retention, and asking whether a case is missing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from kernel.database import Database
from kernel.vault import FORMER_KEY, IDENTITY_KEY, Vault
from node.cli import app
from services.case.sealing import VAULT
from tests.kit.nodes import Country, Node
from tests.services.case.office import HANDLER, Office

KEPT = "[retention]\nneighbour_dispute = 6\n"


@pytest.fixture
def ninewa(country: Country) -> Node:
    node = country.add("ninewa", rules="rules.toml")
    (node.home / "rules.toml").write_text(KEPT)
    node.migrate()
    return node


@pytest.fixture
def office(ninewa: Node) -> Iterator[Office]:
    """The node's own case database, with its own key."""
    database = Database(ninewa.settings.database_url_of("case"), service="case")
    made = Office(database)
    database.info[VAULT] = Vault.at(ninewa.settings.keys_directory)
    yield made
    database.close()


def jisr(node: Node, *words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"JISR_SETTINGS": str(node.settings_file)})


def shown(node: Node, *words: str) -> Any:
    return json.loads(jisr(node, *words, "--json").stdout)


def test_keys_are_rotated_and_every_case_still_opens(ninewa: Node, office: Office) -> None:
    case = office.at_work(narrative="what happened")
    (done,) = shown(ninewa, "keys", "rotate")
    assert (done["changed"], done["wrapped"]) == (True, 1)
    (again,) = shown(ninewa, "keys", "rotate")
    assert (again["changed"], again["wrapped"], again["key_id"]) == (False, 0, done["key_id"])
    keys = ninewa.settings.keys_directory
    assert (keys / IDENTITY_KEY).stat().st_mode & 0o077 == 0
    (keys / FORMER_KEY).unlink()
    office.database.info[VAULT] = Vault.at(keys)
    identity = office.get(case, HANDLER).identity
    assert identity is not None
    assert identity.narrative == "what happened"


def test_retention_shows_and_does_nothing_unless_it_is_told_to(ninewa: Node, office: Office) -> None:
    office.wait(days=-400)
    case = office.close(office.proposed(narrative="what happened"))
    looked = shown(ninewa, "retention")
    assert looked["erased"] == 0
    assert [(each["category"], each["months"], each["due"]) for each in looked["due"]] == [("neighbour_dispute", 6, 1)]
    assert office.get(case, HANDLER).identity is not None
    assert shown(ninewa, "retention", "--run")["erased"] == 1
    assert office.get(case, HANDLER).identity is None
    assert shown(ninewa, "retention", "--run") == {"due": [], "erased": 0}


def test_a_case_that_was_deleted_by_hand_is_named(ninewa: Node, office: Office) -> None:
    first, _second = office.open(), office.open()
    assert jisr(ninewa, "verify").exit_code == 0
    with office.database.write() as session:
        connection = session.connection()
        for name in ("case_record_kept", "case_intake_kept"):
            connection.execute(text(f"DROP TRIGGER {name}"))
        for table in ("case_intake", "case_narrative", "case_key"):
            connection.execute(text(f"DELETE FROM {table} WHERE case_id = :case"), {"case": first.id})  # noqa: S608
        connection.execute(text("DELETE FROM case_record WHERE id = :case"), {"case": first.id})
    result = jisr(ninewa, "verify", "--json")
    assert result.exit_code == 1
    (cases,) = (each for each in json.loads(result.stdout) if each["what"] == "cases")
    assert cases["problem"] == f"{first.number} is a gap in the numbers"


def test_a_proof_that_nobody_was_given_is_not_found_and_one_that_is_none_is_said(ninewa: Node) -> None:
    assert jisr(ninewa, "proof", "0123-4567-89AB-CDEF").exit_code == 1
    assert jisr(ninewa, "proof", "0123").exit_code == 2
