"""What a directorate's broker lets a node do, and everybody else: real TLS, real users, real rights."""

import ssl
from contextlib import ExitStack

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPError, ChannelClosedByBroker, ConnectionClosedByBroker, ProbableAuthenticationError

from kernel.authority import PEM, Authority
from kernel.broker import parameters
from kernel.broker_admin import MOST_CHANNELS, MOST_CONNECTIONS
from kernel.clock import now
from kernel.errors import SettingsError
from kernel.tls import EXPIRED, HUNG_UP, Tls, refusal
from tests.kit import wait
from tests.kit.rabbitmq import new_vhost, patient
from tests.links.gate import Gate, Hall, open_hall, rights

REFUSED = (AMQPError, ssl.SSLError, OSError)


def knock(hall: Hall, tls: Tls, host: str = "127.0.0.1") -> str:
    """Try to get in; why it failed, in the words that an operator sees."""
    with pytest.raises(REFUSED) as refused, hall.gate.connection(hall.vhost.name, tls, host):
        pass
    return tls.refusal(refused.value) or repr(refused.value)


def publish(channel: BlockingChannel, exchange: str, key: str, **properties: str) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, key, b"x", pika.BasicProperties(**properties), mandatory=True)


def refused_code(channel: BlockingChannel, exchange: str, key: str, **properties: str) -> int:
    with pytest.raises(ChannelClosedByBroker) as refused:
        publish(channel, exchange, key, **properties)
    return int(refused.value.reply_code)


def test_a_node_gets_in_as_the_user_whom_its_certificate_names(hall: Hall) -> None:
    with hall.connection("ninewa") as connection:
        channel = connection.channel()
        publish(channel, "jisr.up", "up.ninewa", user_id="ninewa")
        assert channel.basic_get("jisr.down.ninewa") == (None, None, None)
    assert hall.vhost.get("jisr.up.ninewa") == b"x"


def test_tls_is_the_newest_that_both_sides_speak_and_never_older_than_1_2(hall: Hall) -> None:
    context = hall.nodes["ninewa"].context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    with hall.connection("ninewa") as connection:
        transport = connection._impl._transport._sock
        assert transport.version() == "TLSv1.3"


def test_without_a_certificate_nobody_gets_in(hall: Hall) -> None:
    context = ssl.create_default_context(cafile=str(hall.gate.files / "ca.pem"))
    chosen = patient(parameters(hall.gate.url(hall.vhost.name)))
    chosen.ssl_options = pika.SSLOptions(context, "127.0.0.1")
    chosen.credentials = pika.PlainCredentials(hall.vhost.user, hall.vhost.password)
    with pytest.raises(REFUSED) as refused:
        BlockingConnection(chosen)
    assert refusal(refused.value) in ("the broker asks for a certificate and none was shown", HUNG_UP)


def test_a_certificate_of_another_authority_is_refused(hall: Hall) -> None:
    stranger = Authority.new("Jisr test", now=now(), days=30)
    said = knock(hall, hall.gate.papers("ninewa", signer=stranger))
    assert "authority that signed" in said or said == HUNG_UP


def test_an_expired_certificate_is_refused_and_the_reason_named(hall: Hall) -> None:
    assert knock(hall, hall.gate.expired("ninewa")) == EXPIRED


def test_another_nodes_certificate_is_of_no_use_without_its_key(hall: Hall) -> None:
    own, other = hall.nodes["ninewa"], hall.nodes["duhok"]
    with pytest.raises(SettingsError, match=r"is not the key of"):
        Tls(own.ca, other.certificate, own.key).context()


def test_the_brokers_own_certificate_does_not_pass_for_a_nodes(hall: Hall) -> None:
    files = hall.gate.files
    said = knock(hall, Tls(files / "ca.pem", files / "broker.pem", files / "broker.key"))
    assert "certificate of this node" in said or said == "the broker refused the TLS handshake"


def test_a_certificate_for_a_user_who_is_not_there_is_refused(hall: Hall) -> None:
    with (
        pytest.raises(ProbableAuthenticationError),
        hall.gate.connection(hall.vhost.name, hall.gate.papers("anbar")),
    ):
        pass


def test_a_node_does_not_talk_to_a_broker_of_another_name_or_authority(hall: Hall, gate: Gate) -> None:
    believes = "the broker's certificate is not one that this node believes"
    assert knock(hall, hall.nodes["ninewa"], host="localhost") == believes
    pinned = gate.papers("ninewa")
    other = Authority.new("Jisr test", now=now(), days=30)
    pinned.ca.write_bytes(other.certificate.public_bytes(PEM))
    assert knock(hall, pinned) == believes


def test_no_password_opens_a_nodes_account(hall: Hall, gate: Gate) -> None:
    for password in ("", "ninewa"):
        url = gate.broker.url(hall.vhost.name, user="ninewa", password=password)
        with pytest.raises(ProbableAuthenticationError):
            BlockingConnection(patient(pika.URLParameters(url)))


def test_a_forged_user_is_refused_by_the_broker(hall: Hall) -> None:
    with hall.connection("ninewa") as connection:
        assert refused_code(connection.channel(), "jisr.up", "up.ninewa", user_id="duhok") == 406


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        ("jisr.up", "up.duhok"),
        ("jisr.up", "up.ninewa.x"),
        ("jisr.down", "down.duhok"),
        ("", "jisr.up.duhok"),
        ("dead", ""),
    ],
)
def test_a_node_writes_its_own_routing_key_and_nothing_else(hall: Hall, exchange: str, key: str) -> None:
    with hall.connection("ninewa") as connection:
        assert refused_code(connection.channel(), exchange, key, user_id="ninewa") == 403


@pytest.mark.parametrize("queue", ["jisr.down.duhok", "jisr.up.ninewa", "jisr.up.duhok"])
def test_a_node_reads_its_own_queue_and_no_other(hall: Hall, queue: str) -> None:
    with hall.connection("ninewa") as connection, pytest.raises(ChannelClosedByBroker) as refused:
        connection.channel().basic_consume(queue, lambda *_: None)
    assert refused.value.reply_code == 403


def test_a_node_declares_deletes_and_purges_nothing(hall: Hall) -> None:
    with hall.connection("ninewa") as connection:
        for attempt in (
            lambda channel: channel.queue_declare("mine"),
            lambda channel: channel.queue_delete("jisr.down.ninewa"),
            lambda channel: channel.exchange_declare("mine"),
            lambda channel: channel.queue_bind("jisr.down.ninewa", "jisr.up", routing_key="#"),
        ):
            with pytest.raises(ChannelClosedByBroker) as refused:
                attempt(connection.channel())
            assert refused.value.reply_code == 403


def test_a_node_may_open_only_so_many_channels(hall: Hall) -> None:
    with hall.connection("duhok") as connection:
        for _ in range(MOST_CHANNELS):
            connection.channel()
        with pytest.raises(ConnectionClosedByBroker) as refused:
            connection.channel()
    assert refused.value.reply_code == 530


def test_a_node_may_open_only_so_many_connections(gate: Gate) -> None:
    vhost = new_vhost(gate.broker)
    hall = open_hall(gate, vhost, "wasit")  # of this test alone: the broker still counts some that were just closed
    chosen = patient(parameters(gate.url(vhost.name), tls=hall.nodes["wasit"]))
    with ExitStack() as opened:
        for _ in range(MOST_CONNECTIONS):
            opened.callback(BlockingConnection(chosen).close)
        wait.until(lambda: is_refused(chosen), seconds=60, what="no connection above the limit")
    gate.broker.delete_vhost(vhost.name)


def is_refused(chosen: pika.ConnectionParameters) -> bool:
    """Whether one more connection is refused; the broker counts them a moment after it opened them."""
    try:
        BlockingConnection(chosen).close()
    except AMQPError:
        return True
    return False


def test_letting_in_again_changes_nothing_and_shutting_out_closes_open_connections_at_once(gate: Gate) -> None:
    vhost = new_vhost(gate.broker)
    hall = open_hall(gate, vhost, "basra")
    gate.admin.let_in("basra", rights(vhost.name, "basra"))
    connection = BlockingConnection(patient(parameters(gate.url(vhost.name), tls=hall.nodes["basra"])))
    gate.admin.shut_out("basra")

    def closed() -> bool:
        try:
            connection.process_data_events(0.1)
        except AMQPError:
            return True
        return False

    wait.until(closed, seconds=60, what="the broker closed the connection")
    with pytest.raises(ProbableAuthenticationError), hall.connection("basra"):
        pass
    gate.admin.shut_out("basra")
    gate.broker.delete_vhost(vhost.name)
