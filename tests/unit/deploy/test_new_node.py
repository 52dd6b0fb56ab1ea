"""The files of a real node are complete, private, and give nobody more than the protocol needs."""

import json
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts import rules, topology
from deploy.new_node import make_node
from kernel.crypto import VerifyKey
from kernel.errors import SettingsError

COUNTRY = Path(__file__).parents[3] / "deploy" / "topology.toml"


@pytest.fixture
def ninewa(tmp_path: Path) -> Path:
    make_node("ninewa", tmp_path / "ninewa", COUNTRY, broker="ninewa:5672")
    return tmp_path / "ninewa"


@pytest.fixture
def baghdad(tmp_path: Path) -> Path:
    make_node("directorate-baghdad", tmp_path / "baghdad", COUNTRY, broker="broker.example:5672")
    return tmp_path / "baghdad"


def _definitions(directory: Path) -> Any:
    return json.loads((directory / "secrets" / "rabbitmq_definitions.json").read_text())


def test_nobody_but_its_owner_enters_a_nodes_directory(ninewa: Path) -> None:
    assert stat.S_IMODE(ninewa.stat().st_mode) == 0o700


def test_a_new_node_begins_with_the_default_rules_in_a_file_of_its_own(ninewa: Path) -> None:
    assert rules.load(ninewa / "rules.toml") == rules.Rules()
    assert tomllib.loads((ninewa / "settings.toml").read_text())["rules"] == "/etc/jisr/rules.toml"


def test_a_governorate_dials_out_to_every_directorate_it_is_linked_with(ninewa: Path) -> None:
    settings = tomllib.loads((ninewa / "settings.toml").read_text())
    linked = {link.destination for link in topology.load(COUNTRY).links_from("ninewa")}
    assert set(settings["links"]) == linked
    assert len(_definitions(ninewa)["users"]) == 1


def test_a_directorate_knows_a_user_for_every_governorate_and_dials_nobody(baghdad: Path) -> None:
    settings = tomllib.loads((baghdad / "settings.toml").read_text())
    governorates = {node.id for node in topology.load(COUNTRY).governorates}
    assert "links" not in settings
    assert {user["name"] for user in _definitions(baghdad)["users"]} == {"jisr", *governorates}


def test_a_governorate_may_write_its_own_key_and_read_its_own_queue_and_nothing_else(baghdad: Path) -> None:
    made = _definitions(baghdad)
    rights = next(entry for entry in made["permissions"] if entry["user"] == "ninewa")
    keys = next(entry for entry in made["topic_permissions"] if entry["user"] == "ninewa")
    assert re.search(rights["write"], "jisr.up")
    assert re.search(rights["read"], "jisr.down.ninewa")
    assert re.search(keys["write"], "up.ninewa")
    for place in ("jisr.up", "jisr.down", "jisr.down.ninewa", "facts", "recorder", ""):
        assert not re.search(rights["configure"], place) or place == ""
    for place in ("jisr.down", "facts", "amq.default", "xjisr.up", "jisr.upx"):
        assert not re.search(rights["write"], place)
    for place in ("jisr.down.anbar", "jisr.down.ninewa2", "recorder", "jisr.up.ninewa"):
        assert not re.search(rights["read"], place)
    assert not re.search(keys["write"], "up.anbar")


def test_no_password_stands_in_the_definitions(baghdad: Path) -> None:
    definitions = (baghdad / "secrets" / "rabbitmq_definitions.json").read_text()
    url = (baghdad / "handover" / "ninewa" / "links" / "directorate-baghdad").read_text()
    password = url.split(":")[2].split("@")[0]
    assert password
    assert password not in definitions


def test_what_is_handed_over_names_the_broker_and_carries_the_directorates_key(baghdad: Path) -> None:
    given = baghdad / "handover" / "ninewa"
    assert "@broker.example:5672/" in (given / "links" / "directorate-baghdad").read_text()
    handed = VerifyKey.load(given / "peers" / "directorate-baghdad.pub")
    assert handed.key_id == VerifyKey.load(baghdad / "keys" / "node.pub").key_id


def test_a_directory_in_use_is_never_written_over(ninewa: Path) -> None:
    key = (ninewa / "keys" / "node.key").read_bytes()
    with pytest.raises(FileExistsError):
        make_node("ninewa", ninewa, COUNTRY, broker="ninewa:5672")
    assert (ninewa / "keys" / "node.key").read_bytes() == key


def test_a_link_that_the_topology_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="duhok"):
        make_node("ninewa", tmp_path / "ninewa", COUNTRY, broker="", links=["duhok"])
    assert not (tmp_path / "ninewa").exists()
