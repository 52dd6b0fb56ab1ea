"""The engine's part in a disk that fills: it makes the reserve, and grants peers no window while there is no room.

A peer that is granted nothing keeps what it has and sends it when it is granted a window again; its words about what it
holds come on, so that this node's own links go on. What was on its way is still taken: a window at the most.
"""

from dataclasses import replace

from contracts.work import REPLICAS
from kernel.disk import Disk
from kernel.log import get_logger
from services.sync.lanes import Lane
from services.sync.message import Held, Message
from services.sync.receivers import Timers

log = get_logger("engine")

EVERY_SECONDS = 1.0


class Room:
    """Looks once a second, on a lane; `said` runs on the loop."""

    def __init__(self, disk: Disk, lane: Lane, timers: Timers) -> None:
        self._disk, self._lane, self._timers = disk, lane, timers
        self._takes = True

    def start(self) -> None:
        """Look, and again in a second."""

        def look() -> bool:
            self._disk.keep_reserve()
            return self._disk.goes_on(REPLICAS)

        self._lane.run(look, self._looked, self._failed)

    def said(self, message: Message) -> Message:
        """What is said to a peer, without a window while this node takes nothing."""
        return replace(message, window=0) if isinstance(message, Held) and not self._takes else message

    def _looked(self, takes: bool) -> None:
        self._takes = takes
        self._again()

    def _failed(self, error: Exception) -> None:
        log.failure("engine.room_unknown", error)
        self._again()

    def _again(self) -> None:
        self._timers.call_later(EVERY_SECONDS, self.start)
