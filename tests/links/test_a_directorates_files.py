"""What `deploy.new_node --tls` and deploy/compose/directorate.yml give a directorate."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.new_node import make_node
from kernel.broker_admin import BrokerAdmin

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose" / "directorate.yml"


@pytest.fixture
def baghdad(tmp_path: Path) -> Path:
    directory = tmp_path / "node"
    topology = ROOT / "deploy" / "topology.toml"
    make_node("directorate-baghdad", directory, topology, broker="broker.example:5671", tls=True)
    return directory


def _compose() -> Any:
    return yaml.safe_load(COMPOSE.read_text())


def test_no_governorate_has_a_password_there(baghdad: Path) -> None:
    users = json.loads((baghdad / "secrets" / "rabbitmq_definitions.json").read_text())["users"]
    assert {user["name"]: user["tags"] for user in users} == {"jisr": "", "jisr-admin": "administrator"}
    assert not (baghdad / "handover").exists()


def test_its_tools_find_the_brokers_administration(baghdad: Path) -> None:
    settings = tomllib.loads((baghdad / "settings.toml").read_text())
    assert settings["broker_admin"]["url_file"] == "/run/secrets/broker_admin_url"
    BrokerAdmin((baghdad / "secrets" / "broker_admin_url").read_text().strip())


def test_a_governorate_made_with_tls_is_made_as_any_other(tmp_path: Path) -> None:
    make_node("ninewa", tmp_path / "node", ROOT / "deploy" / "topology.toml", broker="x:1", tls=True)
    assert "broker_admin" not in tomllib.loads((tmp_path / "node" / "settings.toml").read_text())


def test_every_file_that_compose_names_is_made_or_comes_from_jisr_ca(baghdad: Path) -> None:
    named = {secret["file"].partition("}/")[2] for secret in _compose()["secrets"].values()}
    assert {name for name in named if not (baghdad / name).exists()} == {
        "tls/ca.pem",
        "tls/broker.pem",
        "tls/broker.key",
    }
    assert (baghdad / "tls").is_dir()


def test_only_the_port_with_tls_is_published_and_both_plugins_are_on() -> None:
    services = _compose()["services"]
    assert [port.rpartition(":")[2] for port in services["rabbitmq"]["ports"]] == ["5671"]
    assert not any("ports" in service for name, service in services.items() if name != "rabbitmq")
    enabled = (ROOT / "deploy" / "compose" / "enabled_plugins").read_text()
    assert enabled == "[rabbitmq_auth_mechanism_ssl,rabbitmq_management].\n"
    for volume in services["rabbitmq"]["volumes"]:
        assert (ROOT / volume.partition(":")[0]).exists()
