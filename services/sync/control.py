"""Once a second: read an operator's word about links and peers, keep how they stand for people, set the gauges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from contracts.sync import ReplicaState
from kernel import metrics
from kernel.clock import now
from kernel.database import Database
from kernel.log import get_logger
from services.sync import witnesses
from services.sync.doubt import Doubt
from services.sync.handlers import link_row
from services.sync.journal_watch import JournalWatch, Seen
from services.sync.lanes import Lane
from services.sync.lock import AlreadyRunning
from services.sync.put_aside import quarantined_counts
from services.sync.receivers import Receiver, Timers
from services.sync.records import parked_counts
from services.sync.senders import Sender, Snapshot
from services.sync.tables import Link, Replica
from services.sync.trust import Trust

log = get_logger("control")

EVERY_SECONDS = 1.0

Words = dict[str, tuple[bool, int]]  # destination: paused, resumes


@dataclass(frozen=True)
class Found:
    """What one pass read: an operator's words, what is parked and which life is followed by origin, the journal."""

    words: Words
    parked: dict[str, int]
    epochs: dict[str, int]
    journal: Seen | None


class Control:
    """One pass at a time; while the database is away the links go on as they last were told."""

    def __init__(
        self,
        database: Database,
        lane: Lane,
        timers: Timers,
        *,
        senders: Sequence[Sender],
        receivers: Sequence[Receiver],
        trust: Trust,
        stale: float,
        keep_lock: Callable[[], None],
        fail: Callable[[Exception], None],
        journal: JournalWatch,
    ) -> None:
        self._database = database
        self._lane = lane
        self._timers = timers
        self._senders = {sender.spec.destination: sender for sender in senders}
        self._receivers = receivers
        self._trust = trust
        self._stale = timedelta(seconds=stale)
        self._keep_lock = keep_lock
        self._fail = fail
        self._journal = journal
        journal.watch(senders)
        self._saved: dict[str, Snapshot] = {}
        self._resumes: dict[str, int] = {}
        self._queues: set[str] = set()

    def start(self) -> None:
        """Begin; the first pass also makes the rows of new links."""
        snapshots = {name: sender.snapshot() for name, sender in self._senders.items()}
        changed = {name: shot for name, shot in snapshots.items() if self._saved.get(name) != shot}

        raised = self._journal.raised

        def done(found: Found) -> None:
            self._saved |= changed
            self._tell(found.words)
            self._journal.looked(found.journal, raised)
            self._measure(found)
            self._again()

        def failed(error: Exception) -> None:
            if isinstance(error, AlreadyRunning):
                self._fail(error)
                return
            log.failure("control.waits", error)
            self._measure(Found({}, {}, {}, None))
            self._again()

        self._lane.run(lambda: self._pass(changed, raised), done, failed)

    def _again(self) -> None:
        self._timers.call_later(EVERY_SECONDS, self.start)

    def _pass(self, changed: dict[str, Snapshot], raised: Doubt | None) -> Found:
        """On the lane."""
        self._keep_lock()
        seen = self._journal.look(self._database, raised)
        if changed:
            with self._database.write_silently() as session:
                for name, shot in sorted(changed.items()):
                    _keep(link_row(session, self._senders[name].spec), shot, self._senders[name])
        with self._database.read() as session:
            self._trust.read(session)
            words = {row.destination: (row.paused, row.resumes) for row in session.scalars(select(Link))}
            self._measure_quarantine(quarantined_counts(session))
            witnesses.measure(session)
            epochs = {row.origin: row.epoch for row in session.scalars(select(Replica))}
            return Found(words, parked_counts(session), epochs, seen)

    def _measure_quarantine(self, counts: dict[str, int]) -> None:
        self._queues |= set(counts)
        for queue in self._queues:
            metrics.QUARANTINE.labels(queue).set(counts.get(queue, 0))

    def _tell(self, words: Words) -> None:
        for name, sender in self._senders.items():
            paused, resumes = words.get(name, (False, 0))
            resumed = resumes > self._resumes.get(name, resumes)
            self._resumes[name] = resumes
            if paused != sender.link.paused or resumed:
                sender.on_word(paused=paused, resumed=resumed)

    def _measure(self, found: Found) -> None:
        moment = now()
        for sender in self._senders.values():
            sender.measure()
            shot = sender.snapshot()
            if shot.held is not None and self._fresh(shot.heard_at, moment):
                entries = max(0, sender.link.head.number - shot.held.number)
                metrics.LINK_BEHIND.labels(sender.spec.destination).set(entries)
            else:
                metrics.LINK_BEHIND.remove(sender.spec.destination)
        for node, expires_at in self._trust.expiries.items():
            metrics.LINK_CERTIFICATE_EXPIRY.labels(node).set(expires_at.timestamp())
        for receiver in self._receivers:
            self._measure_replica(receiver, moment)
            metrics.PARKED.labels(receiver.peer).set(found.parked.get(receiver.peer, 0))
            if receiver.peer in found.epochs:
                metrics.REPLICA_EPOCH.labels(receiver.peer).set(found.epochs[receiver.peer])

    def _measure_replica(self, receiver: Receiver, moment: datetime) -> None:
        origin, held = receiver.peer, receiver.held
        state = held.state if held else ReplicaState.SILENT.value
        for each in ReplicaState:
            metrics.REPLICA_STATE.labels(origin, each.value).set(float(each.value == state))
        metrics.REPLICA_HELD.labels(origin).set(held.held.number if held else 0)
        metrics.REPLICA_FOLDED.labels(origin).set(receiver.folded)
        if receiver.heard_at is not None:
            metrics.REPLICA_STALENESS.labels(origin).set(max(0.0, (moment - receiver.heard_at).total_seconds()))
        if held is not None and receiver.head is not None and self._fresh(receiver.heard_at, moment):
            metrics.REPLICA_BEHIND.labels(origin).set(max(0, receiver.head - held.held.number))
        else:
            metrics.REPLICA_BEHIND.remove(origin)

    def _fresh(self, heard_at: datetime | None, moment: datetime) -> bool:
        return heard_at is not None and moment - heard_at <= self._stale


def _keep(row: Link, shot: Snapshot, sender: Sender) -> None:
    """What the engine knows of a link; where it has heard nothing since its start, the last word stays."""
    row.clearance = sender.spec.clearance.value
    row.state = shot.state.value
    row.reason = shot.reason
    if shot.held is not None:
        row.held_number, row.held_digest = shot.held.number, shot.held.digest
    if shot.heard_at is not None:
        row.last_heard_at = shot.heard_at
        row.behind_since = shot.behind_since
