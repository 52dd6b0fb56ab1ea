"""A wire with the lines of the peers it reaches: at a governorate one carrier per directorate, at a directorate one
for all governorates, on its own broker, whose queues it declares each time it connects."""

from pika.adapters.select_connection import IOLoop

from services.sync.line import Line, declare_links
from services.sync.wire import Wire, reason_of, refused_access


class Carrier:
    """Opens every line after each connect and tells every line of each loss. `declare`: governorates to declare for."""

    def __init__(
        self,
        loop: IOLoop,
        url: str,
        *,
        name: str,
        waits: tuple[float, float],
        lines: list[Line],
        declare: list[str] | None = None,
    ) -> None:
        self._lines = lines
        self._declare = declare or []
        self.blocked = False
        self.wire = Wire(
            loop,
            url,
            name=name,
            waits=waits,
            on_up=self._on_up,
            on_down=self._on_down,
            on_blocked=self._on_blocked,
        )

    def _on_up(self, wire: Wire) -> None:
        if not self._declare:
            self._open_lines()
            return

        def closed(_channel: object, error: Exception) -> None:
            if wire.up and error is not None and getattr(error, "reply_code", 200) != 200:
                wire.again(reason_of(error), refused_access(error))

        wire.channel(lambda channel: declare_links(channel, self._declare, self._open_lines), closed)

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
