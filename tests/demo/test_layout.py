import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts.topology import load
from deploy.demo import layout
from deploy.demo.brokers import BrokerUnusable, GivenBrokers, PrivateBrokers, choose
from kernel.errors import SettingsError
from kernel.settings import load as load_settings

DIRECTORATES = ["directorate-baghdad", "directorate-erbil"]


def test_nodes_are_chosen_by_name_with_both_directorates_always() -> None:
    assert layout.choose_nodes("ninewa, duhok") == ["duhok", "ninewa", *DIRECTORATES]
    assert len(layout.choose_nodes("all")) == 21
    with pytest.raises(SettingsError, match="atlantis"):
        layout.choose_nodes("ninewa,atlantis")


def test_a_node_s_settings_and_topology_are_ones_that_its_processes_take(tmp_path: Path) -> None:
    country = layout.write_topology(tmp_path, ["ninewa", *DIRECTORATES])
    assert list(country.nodes) == ["ninewa", *DIRECTORATES]
    own = layout.place(tmp_path, "ninewa")
    layout.make_keys(own, tmp_path / "peers")
    layout.write_settings(own, broker_url="amqp://a:b@c/d", link_urls={DIRECTORATES[0]: "amqp://e:f@g/h"})
    settings = load_settings(own.settings)
    assert settings.node == "ninewa"
    assert settings.home.resolve() == own.home.resolve()
    assert settings.links[DIRECTORATES[0]].broker_url == "amqp://e:f@g/h"
    assert load(settings.topology).nodes["ninewa"].names == country.nodes["ninewa"].names
    assert (settings.peer_keys_directory / "ninewa.pub").exists()
    assert stat.S_IMODE(own.settings.stat().st_mode) == 0o600


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    own = layout.place(tmp_path, "ninewa")
    layout.make_keys(own, tmp_path / "peers")
    before = (own.home / "keys" / "node.key").read_bytes()
    layout.make_keys(own, tmp_path / "peers")
    assert (own.home / "keys" / "node.key").read_bytes() == before


def test_what_is_written_as_toml_is_read_as_it_was() -> None:
    document = {"a": 1, "t": True, "f": 0.5, "s": 'q"\\ نص', "list": ["x"], "b": {"c": 1, "d e": {"f.g": "h"}}}
    assert tomllib.loads(layout.toml(document)) == document


def test_without_a_given_broker_a_private_one_is_chosen(tmp_path: Path) -> None:
    assert isinstance(choose(tmp_path, {}), PrivateBrokers)
    assert isinstance(choose(tmp_path, {"JISR_RABBITMQ_URL": "amqp://h/v"}), GivenBrokers)


def test_ready_made_virtual_hosts_are_named_after_their_nodes() -> None:
    given = GivenBrokers("amqp://me:p%40ss@host:5673/jisr-{node}")
    assert given.target == ("host", 5673)
    assert given.url("ninewa") == "amqp://me:p%40ss@host:5673/jisr-ninewa"
    assert (
        given.link_url("ninewa", "directorate-erbil", 2001) == "amqp://me:p%40ss@127.0.0.1:2001/jisr-directorate-erbil"
    )


def test_a_given_broker_that_cannot_make_virtual_hosts_is_refused_with_what_to_do(free_port_url: str) -> None:
    given = GivenBrokers(f"amqp://me:secret@{free_port_url}/", management=f"http://{free_port_url}")
    given.arrange(["ninewa"], [])
    with pytest.raises(BrokerUnusable, match=r"\{node\}") as refused:
        given.start()
    assert "secret" not in str(refused.value)


def test_a_broker_that_speaks_tls_is_refused_because_the_lines_do_not() -> None:
    with pytest.raises(BrokerUnusable, match="TLS"):
        GivenBrokers("amqps://host/v")


@pytest.fixture
def free_port_url() -> Any:
    from deploy.ports import free_port

    return f"127.0.0.1:{free_port()}"
