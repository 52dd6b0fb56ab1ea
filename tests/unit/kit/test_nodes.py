"""The nodes of the kit have files that Jisr itself accepts."""

from collections.abc import Callable

import pika
import pytest

from kernel.settings import Settings
from tests.kit.nodes import Country, toml
from tests.kit.rabbitmq import patient


def test_a_node_has_settings_that_load(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("ninewa", log_level="debug")
    assert (settings.node, settings.log_level) == ("ninewa", "debug")
    assert (settings.keys_directory / "node.key").exists()
    assert (settings.peer_keys_directory / "ninewa.pub").exists()


def test_a_governorate_may_write_only_its_own_key_at_a_directorate(country: Country) -> None:
    baghdad = country.add("directorate-baghdad")
    ninewa = country.add("ninewa", links=[baghdad])
    with baghdad.vhost.channel() as channel:
        channel.exchange_declare("jisr.up", "topic", durable=True)
        channel.queue_declare("jisr.up.ninewa", durable=True)
        channel.queue_bind("jisr.up.ninewa", "jisr.up", "up.ninewa")
    link = ninewa.settings.links["directorate-baghdad"].broker_url
    assert link is not None
    connection = pika.BlockingConnection(patient(pika.URLParameters(link)))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("jisr.up", "up.ninewa", b"salam", mandatory=True)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.basic_publish("jisr.up", "up.anbar", b"salam", mandatory=True)
    connection.close()


def test_nested_values_become_tables() -> None:
    assert toml({"a": 1, "b": {"c": "x", "d": {"e": True}}}) == ('a = 1\n\n[b]\nc = "x"\n\n[b.d]\ne = true\n\n\n')
