"""A TCP proxy that stands for a bad line: it can be cut, healed, silenced, slowed, delayed, closed to new
connections, deaf in one direction, and broken after so many bytes.

    with Proxy(("127.0.0.1", broker.port)) as line:
        url = broker.url("ninewa", port=line.port)
        line.cut()      # connections die with a reset and cannot be made again
        line.heal()

Everything happens on one event loop in one thread of its own; the methods may be called from any thread and
return when the
change is in force.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

from deploy.ports import free_port

CHUNK = 16 * 1024
_IN_FLIGHT = 256  # chunks between reading and writing: 4 MiB each way
_CALL_SECONDS = 30


@dataclass
class _Conditions:
    """What the line is like now. Bytes per second and seconds; None means without a limit."""

    latency: float = 0.0
    rate: float | None = None
    remaining: int | None = None
    each: int | None = None  # bytes towards the target that one connection carries
    open: asyncio.Event = field(default_factory=asyncio.Event)
    deaf: set[bool] = field(default_factory=set)  # directions, True for up, in which every byte is lost


class Proxy:
    """A line from a free loopback port to `target` (host, port). Begins sound."""

    def __init__(self, target: tuple[str, int], *, port: int | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.target = target
        self.bytes_up = 0
        self.bytes_down = 0
        self.connections_made = 0
        self._connections: set[_Connection] = set()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._conditions = _Conditions()
        self._conditions.open.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        """Drop every connection and end the thread. A proxy cannot be started again."""
        if not self._loop.is_running():
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_SECONDS)
        self._loop.close()

    # -- what may happen to a line -------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset every connection and refuse new ones, until `heal`."""
        self._call(self._close())

    def refuse(self) -> None:
        """Refuse new connections until `heal`; those that are open live on."""
        self._call(self._stop_listening())

    def half_open(self, *, up: bool) -> None:
        """Lose every byte towards the target (`up`) or from it, and say nothing of it, until `heal`.

        Connections stay open and the other direction is carried. What lost bytes is reset when the line is healed, as
        by a host that has forgotten the connection.
        """
        self._call(self._change(lambda line: line.deaf.add(up)))

    def reset_connections(self) -> None:
        """Reset every connection; new ones may be made at once."""
        self._call(self._reset())

    def heal(self) -> None:
        """Make the line sound: it listens, carries what it held back, and has no delay, limit or break
        ahead.
        """
        self._call(self._heal())

    def black_hole(self) -> None:
        """Carry nothing and say nothing: connections stay open, new ones are accepted, no byte arrives until
        `heal`.
        """
        self._call(self._change(lambda line: line.open.clear()))

    def latency(self, seconds: float) -> None:
        """Deliver every byte `seconds` late, each way."""
        self._call(self._change(lambda line: setattr(line, "latency", seconds)))

    def rate(self, bytes_per_second: float | None) -> None:
        """Carry at most so many bytes a second on each connection and way; None lifts the limit."""
        self._call(self._change(lambda line: setattr(line, "rate", bytes_per_second)))

    def drop_after(self, count: int) -> None:
        """Reset every connection, once, when `count` more bytes have gone to the target: in the middle of a
        message.
        """
        self._call(self._change(lambda line: setattr(line, "remaining", count)))

    def drop_each_after(self, count: int) -> None:
        """Reset each connection, until `heal`, when it has carried `count` bytes to the target."""
        self._call(self._change(lambda line: setattr(line, "each", count)))

    @property
    def connection_count(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    # -- within: everything below runs on the loop ---------------------------------------------------------

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_CALL_SECONDS)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accepted, self.host, self.port)

    async def _close(self) -> None:
        await self._stop_listening()
        await self._reset()

    async def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _heal(self) -> None:
        line = self._conditions
        line.latency, line.rate, line.remaining, line.each = 0.0, None, None, None
        line.deaf.clear()
        line.open.set()
        for connection in list(self._connections):
            if connection.lost_bytes:
                connection.reset()
        await self._listen()

    async def _change(self, change: Callable[[_Conditions], None]) -> None:
        change(self._conditions)

    async def _reset(self) -> None:
        for connection in list(self._connections):
            connection.reset()
        await asyncio.gather(*(connection.ended.wait() for connection in list(self._connections)))

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        self.connections_made += 1
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            connection.ended.set()

    def _count_up(self, count: int) -> int:
        """How many of `count` bytes towards the target may still pass before the line breaks."""
        line = self._conditions
        allowed = count if line.remaining is None else min(count, line.remaining)
        if line.remaining is not None:
            line.remaining -= allowed
        self.bytes_up += allowed
        return allowed

    def _break_if_spent(self) -> None:
        if self._conditions.remaining == 0:
            self._conditions.remaining = None
            for connection in list(self._connections):
                connection.reset()


class _Connection:
    """One connection of a client, and the one made for it to the target."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._task: asyncio.Future[Any] | None = None
        self._carried = 0  # bytes to the target
        self.lost_bytes = False
        self.ended = asyncio.Event()

    async def run(self) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            self._task = asyncio.ensure_future(self._carry())
            await self._task
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """End both connections with a TCP reset, whatever is still to be carried."""
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            if connection is not None and connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        if self._task is not None:
            self._task.cancel()

    async def _carry(self) -> None:
        await self._proxy._conditions.open.wait()
        reader, writer = await asyncio.open_connection(*self._proxy.target)
        self._writers.append(writer)
        await asyncio.gather(
            self._one_way(self._reader, writer, up=True), self._one_way(reader, self._writers[0], up=False)
        )

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_IN_FLIGHT)
        reading = asyncio.ensure_future(self._read(reader, flying))
        try:
            while True:
                due, data = await flying.get()
                await asyncio.sleep(due - asyncio.get_running_loop().time())
                if up in self._proxy._conditions.deaf:
                    self.lost_bytes = True  # an end of the stream among them: only a reset ends this connection
                    continue
                if not data:
                    break
                await self._write(writer, data, up=up)
            if writer.can_write_eof():
                writer.write_eof()
        finally:
            reading.cancel()

    async def _read(self, reader: asyncio.StreamReader, flying: "asyncio.Queue[tuple[float, bytes]]") -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            await flying.put((asyncio.get_running_loop().time() + self._proxy._conditions.latency, data))

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, *, up: bool) -> None:
        line = self._proxy._conditions
        await line.open.wait()
        if line.rate:
            await asyncio.sleep(len(data) / line.rate)
        if up:
            data = self._take(data)
        else:
            self._proxy.bytes_down += len(data)
        writer.write(data)
        await writer.drain()
        if up:
            self._proxy._break_if_spent()
            if line.each is not None and self._carried >= line.each:
                self.reset()

    def _take(self, data: bytes) -> bytes:
        """What of `data` may still pass to the target before the line, or this connection, breaks."""
        each = self._proxy._conditions.each
        if each is not None:
            data = data[: max(0, each - self._carried)]
        data = data[: self._proxy._count_up(len(data))]
        self._carried += len(data)
        return data
