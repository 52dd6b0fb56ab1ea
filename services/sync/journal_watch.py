"""What the engine watches of its own journal once a second: whether it is in doubt, has begun another life, and how far
the mark outside the database has to follow."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from contracts.sync import LinkState
from kernel import metrics
from kernel.database import Database
from kernel.log import get_logger
from services.sync import doubt, mark
from services.sync.doubt import RAISING, Doubt
from services.sync.journal import Life
from services.sync.mark import Mark
from services.sync.position import Position
from services.sync.senders import Sender
from services.sync.tables import JournalState

log = get_logger("engine")


@dataclass(frozen=True)
class Seen:
    """The journal as one pass found it."""

    epoch: int
    session: int
    head: Position
    doubt: Doubt | None


class JournalWatch:
    """`look` runs on the control's lane, the rest on the loop."""

    def __init__(
        self,
        life: Life,
        home: Path,
        found: Doubt | None,
        *,
        forked: Collection[str],
        begin_again: Callable[[], None],
    ) -> None:
        """`forked`: destinations that hold a history which this life has left."""
        self._life, self._home, self._doubt = life, home, found
        self._forked = forked
        self._begin_again = begin_again
        self._raised: Doubt | None = None  # not yet in the database
        self._marked: Mark | None = None
        self._senders: Collection[Sender] = ()

    def watch(self, senders: Collection[Sender]) -> None:
        """Hear at once what a link finds wrong."""
        self._senders = senders
        for sender in senders:
            sender.on_verdict = self.on_verdict

    def on_verdict(self, sender: Sender) -> None:
        """What one destination holds speaks against this journal: no link sends until a person decides."""
        verdict = sender.link.verdict
        destination = sender.spec.destination
        if verdict is None or verdict[0] not in RAISING or sender.link.paused or self._doubt is not None:
            return
        if destination in self._forked:
            return
        self._raised = Doubt(verdict[0], f"{destination}: {verdict[1]}", destination)
        self._tell(self._raised)

    @property
    def raised(self) -> Doubt | None:
        """What the next pass must write down."""
        return self._raised

    def look(self, database: Database, raised: Doubt | None) -> Seen | None:
        """Write down a doubt, read how the journal stands, let the mark follow."""
        if raised is not None:
            with database.write_silently() as session:
                doubt.raise_(session, raised)
        with database.read() as session:
            seen = _seen(session)
        if seen is not None and seen.doubt is None and seen.epoch == self._life.epoch:
            self._follow(Mark(self._life.origin, seen.epoch, self._life.session, seen.head))
        return seen

    def _follow(self, reached: Mark) -> None:
        if reached == self._marked:
            return
        try:
            mark.write(self._home, reached)
        except OSError as error:  # a full disk, mostly; the journal itself is worse off then
            log.failure("mark.not_written", error)
            return
        self._marked = reached

    def looked(self, seen: Seen | None, raised: Doubt | None) -> None:
        """Do what follows from a pass that had `raised` to write down."""
        if seen is None:
            return
        if seen.epoch != self._life.epoch:
            self._begin_again()
            return
        if self._raised is raised:
            self._raised = None
        if self._raised is None and seen.doubt != self._doubt:
            self._tell(seen.doubt)
        metrics.JOURNAL_EPOCH.set(seen.epoch)
        for state in RAISING:
            metrics.JOURNAL_DOUBT.labels(state.value).set(float(self._doubt is not None and self._doubt.state is state))

    def _tell(self, found: Doubt | None) -> None:
        if found is not None:
            log.warning("engine.journal_in_doubt", state=found.state.value, about=found.about)
        self._doubt = found
        word: tuple[LinkState, str] | None = found.word if found else None
        for sender in self._senders:
            sender.on_doubt(word)


def _seen(session: Session) -> Seen | None:
    row = session.get(JournalState, 1)
    if row is None:
        return None
    return Seen(row.epoch, row.session, Position(row.number, row.digest), doubt.read(session))
