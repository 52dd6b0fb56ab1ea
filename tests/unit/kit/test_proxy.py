"""The bad line does what it says, so that tests of replication can trust it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.proxy import Proxy
from tests.kit import wait


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_echo, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def _echo(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(65536):
            connection.sendall(data)


@pytest.fixture
def line(echo: int) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", echo)) as proxy:
        yield proxy


def _read_to_the_end(client: socket.socket) -> None:
    while client.recv(10):
        pass


def _connect(line: Proxy) -> socket.socket:
    return socket.create_connection((line.host, line.port), timeout=5)


def test_a_sound_line_carries_bytes_both_ways_and_counts_them(line: Proxy) -> None:
    with _connect(line) as client:
        client.sendall(b"salam")
        assert client.recv(10) == b"salam"
    assert (line.bytes_up, line.bytes_down) == (5, 5)
    wait.until(lambda: line.connection_count == 0, what="the proxy forgets a closed connection")


def test_a_cut_line_resets_its_connections_and_refuses_new_ones(line: Proxy) -> None:
    with _connect(line) as client:
        client.sendall(b"salam")
        assert client.recv(10) == b"salam"
        line.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(10)
    with pytest.raises(ConnectionRefusedError):
        _connect(line)


def test_a_healed_line_is_reached_on_the_same_port(line: Proxy) -> None:
    line.cut()
    line.heal()
    with _connect(line) as client:
        client.sendall(b"salam")
        assert client.recv(10) == b"salam"


def test_a_black_hole_keeps_connections_and_delivers_after_healing(line: Proxy) -> None:
    with _connect(line) as client:
        client.sendall(b"one")
        assert client.recv(10) == b"one"
        line.black_hole()
        client.sendall(b"two")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        line.heal()
        client.settimeout(5)
        assert client.recv(10) == b"two"


def test_a_line_breaks_in_the_middle_of_a_message_and_only_once(line: Proxy) -> None:
    line.drop_after(3)
    with _connect(line) as client:
        client.sendall(b"salam")
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(client)
    assert line.bytes_up == 3
    with _connect(line) as client:
        client.sendall(b"again")
        assert client.recv(10) == b"again"


def test_each_connection_of_a_line_carries_so_much_until_it_is_healed(line: Proxy) -> None:
    line.drop_each_after(7)
    for _ in range(2):
        with _connect(line) as client:
            client.sendall(b"one")
            assert client.recv(10) == b"one"
            client.sendall(b"salam")
            with pytest.raises(ConnectionResetError):
                _read_to_the_end(client)
    assert line.bytes_up == 14
    line.heal()
    with _connect(line) as client:
        client.sendall(b"as much as one likes")
        assert client.recv(100) == b"as much as one likes"


def test_latency_delays_each_way(line: Proxy) -> None:
    line.latency(0.1)
    with _connect(line) as client:
        began = time.monotonic()
        client.sendall(b"salam")
        assert client.recv(10) == b"salam"
        assert 0.2 <= time.monotonic() - began < 2


def test_a_rate_limits_throughput(line: Proxy) -> None:
    line.rate(100_000)
    with _connect(line) as client:
        began = time.monotonic()
        client.sendall(b"x" * 50_000)
        client.shutdown(socket.SHUT_WR)
        received = 0
        while data := client.recv(65536):
            received += len(data)
        assert received == 50_000
        assert time.monotonic() - began >= 0.45


def test_a_line_that_refuses_keeps_the_connections_it_has(line: Proxy) -> None:
    with _connect(line) as client:
        client.sendall(b"a")
        assert client.recv(10) == b"a"
        line.refuse()
        with pytest.raises(OSError):
            _connect(line)
        client.sendall(b"b")
        assert client.recv(10) == b"b"
        line.heal()
        with _connect(line) as another:
            another.sendall(b"c")
            assert another.recv(10) == b"c"


@pytest.mark.parametrize("up", [True, False])
def test_a_half_open_line_loses_one_direction_and_is_reset_when_healed(line: Proxy, up: bool) -> None:
    with _connect(line) as client:
        client.sendall(b"a")
        assert client.recv(10) == b"a"
        line.half_open(up=up)
        carried = line.bytes_up
        client.sendall(b"b")
        wait.until(lambda: line.bytes_up == carried + (not up), seconds=10, what="what went up is as it should be")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        line.heal()
        client.settimeout(10)
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(client)
