"""One broker connection of the engine, kept alive: it is made again with a growing wait, and never given up.

The wait is 1, 2, 4 ... seconds up to a bound, with jitter, so that nineteen governorates whose directorate comes back
do not all knock in the same second. A connection that held for a minute starts over at one second.
"""

import ssl
import time
from collections.abc import Callable
from typing import Any

from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel
from pika.exceptions import ProbableAccessDeniedError, ProbableAuthenticationError

from kernel import tls as transport
from kernel.broker import parameters
from kernel.errors import SettingsError
from kernel.log import get_logger
from kernel.tls import Tls
from services.sync.pace import backoff

log = get_logger("wire")

REFUSALS = (403, 530)  # AMQP 0-9-1: access-refused; not-allowed, as for a virtual host
STEADY_SECONDS = 60.0
UNAUTHORISED = (ProbableAccessDeniedError, ProbableAuthenticationError)


class Wire:
    """A connection and the channels its owner asks for in `on_up`. All callbacks run on the loop.

    `on_up(connection)` after each connect, `on_down(reason, unauthorised)` after each loss, `on_blocked(blocked)` when
    the broker holds publishers back because its memory or disk is short. The files of `tls` are read anew for each
    connection: a renewed certificate needs no restart.
    """

    def __init__(
        self,
        loop: IOLoop,
        url: str,
        *,
        label: str,
        waits: tuple[float, float],
        on_up: Callable[["Wire"], None],
        on_down: Callable[[str, bool], None],
        on_blocked: Callable[[bool], None] = lambda blocked: None,
        tls: Tls | None = None,
    ) -> None:
        self._loop = loop
        self._url, self._tls = url, tls
        self.user = getattr(parameters(url).credentials, "username", "")  # as the broker knows us
        self.label = label
        self._first_wait, self._most_wait = waits
        self._on_up, self._on_down, self._on_blocked = on_up, on_down, on_blocked
        self._connection: SelectConnection | None = None
        self._timer: Any = None
        self._failures = 0
        self._up_at = 0.0
        self._why: tuple[str, bool] | None = None
        self._stopping = False
        self.up = False

    def start(self) -> None:
        """Begin to connect."""
        self._timer = None
        if self._stopping:
            return
        try:
            self._connection = SelectConnection(
                self._fresh_parameters(),
                on_open_callback=self._opened,
                on_open_error_callback=self._not_opened,
                on_close_callback=self._closed,
                custom_ioloop=self._loop,
            )
        except SettingsError as error:  # a file that TLS needs; it may come, so the attempts go on
            self._why = (error.message, True)
            self._lost(error)
        except (OSError, ssl.SSLError) as error:
            self._lost(error)

    def _fresh_parameters(self) -> Any:
        chosen = parameters(self._url, name=self.label, tls=self._tls)
        # A broker in alarm may hold us for hours: reading goes on, so the connection is kept and `on_blocked` told.
        chosen.blocked_connection_timeout = None
        if self._tls is not None:
            self.user = self._tls.user()
        return chosen

    def stop(self) -> None:
        """Close and stay closed."""
        self._stopping = True
        if self._timer is not None:
            self._loop.remove_timeout(self._timer)
            self._timer = None
        self._close()

    def again(self, reason: str, unauthorised: bool = False) -> None:
        """Drop this connection and make another after the wait: something on it cannot be used."""
        if self._why is None and self._connection is not None and self._connection.is_open:
            self._why = (reason, unauthorised)
            self._close()

    def hurry(self) -> None:
        """Connect now if a wait is running: there is reason to think that it will work."""
        if self._timer is not None:
            self._loop.remove_timeout(self._timer)
            self.start()

    def channel(self, on_open: Callable[[Channel], None], on_close: Callable[[Channel, Exception], None]) -> None:
        """Open a channel on the present connection; `on_close` also runs when the connection is lost."""
        if self._connection is None or not self._connection.is_open:
            return

        def opened(channel: Channel) -> None:
            channel.add_on_close_callback(on_close)
            on_open(channel)

        self._connection.channel(on_open_callback=opened)

    def _close(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _opened(self, connection: Any) -> None:
        if self._stopping:
            self._close()
            return
        connection.add_on_connection_blocked_callback(lambda _connection, _frame: self._blocked(True))
        connection.add_on_connection_unblocked_callback(lambda _connection, _frame: self._blocked(False))
        self._up_at = time.monotonic()
        self.up = True
        log.info("wire.up", wire=self.label)
        self._on_up(self)

    def _blocked(self, blocked: bool) -> None:
        log.warning("wire.blocked" if blocked else "wire.unblocked", wire=self.label)
        self._on_blocked(blocked)

    def _not_opened(self, _connection: Any, error: Exception | str) -> None:
        self._lost(error if isinstance(error, Exception) else RuntimeError(error))

    def _closed(self, _connection: Any, error: Exception) -> None:
        self._lost(error)

    def _lost(self, error: Exception) -> None:
        self._connection = None
        if self.up and time.monotonic() - self._up_at > STEADY_SECONDS:
            self._failures = 0
        self.up = False
        self._failures += 1
        refusal = self._tls.refusal(error) if self._tls else None
        reason, unauthorised = self._why or (refusal or reason_of(error), refused_access(error))
        self._why = None
        self._on_down(reason, unauthorised)
        if self._stopping or self._timer is not None:
            return
        wait = backoff(self._failures, self._first_wait, self._most_wait)
        log.info("wire.down", wire=self.label, reason=reason, again_in=round(wait, 1))
        self._timer = self._loop.call_later(wait, self.start)

    def worked(self) -> None:
        """The other side answered: the next loss starts again at the shortest wait."""
        self._failures = 0


def refused_access(error: BaseException) -> bool:
    """Whether the broker does not know us, or does not let us do this."""
    if isinstance(error, UNAUTHORISED) or getattr(error, "reply_code", None) in REFUSALS:
        return True
    if transport.refusal(error):
        return True
    causes = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args]
    return any(refused_access(cause) for cause in causes if isinstance(cause, BaseException))


def reason_of(error: Exception) -> str:
    """A short word for an operator; never a broker's address, which may hold a password."""
    refusal = transport.refusal(error)
    if refusal:
        return refusal
    code = getattr(error, "reply_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
