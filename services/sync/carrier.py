"""A wire with the lines of the peers it reaches: at a governorate one carrier per directorate, at a directorate one
for all governorates, on its own broker, whose queues it declares each time it connects."""

from collections.abc import Callable

from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.exceptions import ChannelClosedByClient

from kernel.tls import Tls
from services.sync.line import Line, declare_links
from services.sync.wire import Wire, reason_of, refused_access


class Carrier:
    """Opens every line after each connect and tells every line of each loss. `declare`: governorates to declare for."""

    def __init__(
        self,
        loop: IOLoop,
        url: str,
        *,
        label: str,
        waits: tuple[float, float],
        lines: list[Line],
        declare: list[str] | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._lines = lines
        self._declare = declare or []
        self.blocked = False
        self.wire = Wire(
            loop,
            url,
            label=label,
            waits=waits,
            on_up=self._on_up,
            on_down=self._on_down,
            on_blocked=self._on_blocked,
            tls=tls,
        )

    def declare_again(self) -> None:
        """A queue was deleted while we were connected."""
        if self._declare and self.wire.up:
            self._declare_then(lambda: None)

    def _on_up(self, _wire: Wire) -> None:
        if self._declare:
            self._declare_then(self._open_lines)
        else:
            self._open_lines()

    def _declare_then(self, done: Callable[[], None]) -> None:
        wire, governorates = self.wire, self._declare

        def closed(_channel: Channel, error: Exception) -> None:
            if wire.up and not isinstance(error, ChannelClosedByClient):
                wire.again(reason_of(error), refused_access(error))

        def opened(channel: Channel) -> None:
            def declared() -> None:
                channel.close()
                done()

            declare_links(channel, governorates, declared)

        wire.channel(opened, closed)

    def _open_lines(self) -> None:
        for line in self._lines:
            line.open(self.wire)

    def _on_down(self, reason: str, unauthorised: bool) -> None:
        self.blocked = False
        for line in self._lines:
            line.gone(reason, unauthorised)

    def _on_blocked(self, blocked: bool) -> None:
        self.blocked = blocked
        for line in self._lines:
            line.blocked(blocked)
