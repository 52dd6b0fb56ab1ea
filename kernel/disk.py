"""How full the places are that a node writes to, and what it does not do at which stage (`contracts.work` names it).

Promise: nothing that was accepted is dropped to make room; what is not taken is refused with a sentence, before
anything was changed, or waits where it is (in an outbox, at the other end of a link). Everything goes on by itself when
there is room again.

*Room* is what is free in the fullest of the places that a node writes to, less what its reserve lacks. The reserve is
a file that the engine makes while there is room, and that whoever notices the last stage deletes: what it held is then
there for what never stops. Because a missing reserve is counted as missing, deleting it does not look like recovery.

Every process looks for itself, once a second at the most, with one call of the system per place. A link goes on at
every stage: it writes next to nothing, and brings what is recorded to where it is safe.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from kernel import metrics
from kernel.errors import NoRoom
from kernel.log import get_logger, only_warnings
from kernel.settings import DiskSettings, Settings

LOOK_SECONDS = 1.0
LEAVE = 1.1  # a stage is left when there is a tenth more room than where it begins: no to and fro at the edge
RESERVE = "reserve"

log = get_logger("disk")


class Stage(StrEnum):
    """How much room there is, from ample to the last of it."""

    AMPLE = "ample"
    LOW = "low"
    SCARCE = "scarce"
    SHORT = "short"
    LAST = "last"


ORDER = (Stage.AMPLE, Stage.LOW, Stage.SCARCE, Stage.SHORT, Stage.LAST)


@dataclass(frozen=True)
class Work:
    """Something a node does that takes room, as its refusal names it, and the stage from which it is not done.

    `stops=None`: it is done until the database itself finds no room.
    """

    name: str
    stops: Stage | None


CHATTER = Work("log lines below a warning", Stage.LOW)


def stage_of(room: int, limits: DiskSettings, before: Stage = Stage.AMPLE) -> Stage:
    """The stage at so many bytes of room; a stage reached `before` is left at `LEAVE` times its limit."""
    below = {
        Stage.LOW: limits.low_bytes,
        Stage.SCARCE: limits.scarce_bytes,
        Stage.SHORT: limits.short_bytes,
        Stage.LAST: limits.last_bytes,
    }
    found = Stage.AMPLE
    for stage, limit in below.items():
        kept = ORDER.index(stage) <= ORDER.index(before)
        if room < (limit * LEAVE if kept else limit):
            found = stage
    return found


def goes_on(work: Work, stage: Stage) -> bool:
    """Whether a node still does this at that stage."""
    return work.stops is None or ORDER.index(stage) < ORDER.index(work.stops)


@dataclass(frozen=True)
class Seen:
    """What one look found: bytes of room, and the stage that follows."""

    room: int
    stage: Stage


class Disk:
    """The places that one node writes to. Threads and greenthreads may share it."""

    def __init__(
        self, home: Path, places: Sequence[Path], limits: DiskSettings, free: Callable[[Path], int] | None = None
    ) -> None:
        self.limits = limits
        self.reserve = home / RESERVE
        self._places = places
        self._free = free or free_bytes
        self._lock = threading.Lock()
        self._seen = Seen(0, Stage.AMPLE)
        self._looked_at = float("-inf")

    def look(self) -> Seen:
        """How it stands now; looked at once a second at the most. Releases the reserve at the last stage."""
        with self._lock:
            if time.monotonic() - self._looked_at < LOOK_SECONDS:
                return self._seen
            self._looked_at = time.monotonic()
            before, room = self._seen.stage, self._room()
            self._seen = Seen(room, stage_of(room, self.limits, before))
        self._note(before, self._seen)
        return self._seen

    def goes_on(self, work: Work) -> bool:
        """Whether this work is done now."""
        return goes_on(work, self.look().stage)

    def admit(self, work: Work) -> None:
        """Raise `NoRoom` unless this work is done now."""
        seen = self.look()
        if not goes_on(work, seen.stage):
            raise NoRoom(work=work.name, stage=seen.stage.value)

    def keep_reserve(self) -> None:
        """Make the reserve while there is ample room; for one process of the node, the engine."""
        if self.look().stage is Stage.AMPLE and self._held() < self.limits.reserve_bytes:
            with suppress(OSError), self.reserve.open("wb") as file:
                self.reserve.chmod(0o600)
                os.posix_fallocate(file.fileno(), 0, self.limits.reserve_bytes)

    def _room(self) -> int:
        found = []
        for place in self._places:
            with suppress(OSError):  # a place that is not there yet takes no room
                found.append(self._free(place))
        return min(found, default=0) - max(0, self.limits.reserve_bytes - self._held())

    def _held(self) -> int:
        try:
            return self.reserve.stat().st_size
        except OSError:
            return 0

    def _note(self, before: Stage, seen: Seen) -> None:
        metrics.DISK_ROOM.set(seen.room)
        for stage in Stage:
            metrics.DISK_STAGE.labels(stage.value).set(float(stage is seen.stage))
        if seen.stage is Stage.LAST and self._held():
            with suppress(OSError):
                self.reserve.unlink()
            log.error("disk.reserve_released", bytes=self.limits.reserve_bytes)
        if seen.stage is not before:
            log.warning("disk.stage", before=before.value, stage=seen.stage.value, room=seen.room)
            only_warnings(not goes_on(CHATTER, seen.stage))


def free_bytes(place: Path) -> int:
    """Bytes that a process without privileges may still write there."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def disk_of(settings: Settings) -> Disk:
    """The disk of this node; one a process."""
    return _disk(settings.home, tuple(places_of(settings)), settings.disk)


@cache
def _disk(home: Path, places: tuple[Path, ...], limits: DiskSettings) -> Disk:
    return Disk(home, places, limits)


def places_of(settings: Settings) -> list[Path]:
    """Where this node writes, as far as its settings tell: home, the directory of SQLite databases, `disk.also`."""
    places = {settings.home, *(settings.disk.also or ())}
    url = make_url(settings.database_url_of("case"))
    if url.get_backend_name() == "sqlite" and url.database:
        places.add(Path(url.database).parent)
    return sorted(places)
