"""The sync engine: one process, not monkey-patched, that records, sends and receives for one node.

One loop (pika's) owns every connection, every state machine and every timer. Whatever touches the database or takes
time runs on lanes (`lanes.py`) and is handed back to the loop, so that heartbeats are answered whatever the disk does.

    recorder   this node's services → journal                  one lane
    senders    journal → one link per destination              one lane each
    receivers  one peer's queue → replica, records, arrivals   one lane each
    recaller   what a recovery asks of the peers               one lane for all of them
    control    an operator's word, how links stand             one lane, every second

What is in memory is what was delivered and not yet committed, of all peers together no more than `shares.py` says, and
one batch a link; everything else is in the database. So the engine may be killed at any moment: the outboxes publish
again, the peers are told what is held.
"""

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from pika.adapters.select_connection import IOLoop

from contracts.topology import NodeKind, Topology
from contracts.topology import load as load_topology
from kernel import metrics
from kernel.clock import now
from kernel.crypto import VerifyKey
from kernel.database import Database
from kernel.disk import disk_of
from kernel.errors import Internal, SettingsError, Unavailable
from kernel.ids import new_id
from kernel.log import get_logger
from kernel.settings import Settings
from services.sync import admissions, doubt, heap, journal, mark, own_keys, parts
from services.sync.carrier import Carrier
from services.sync.control import Control
from services.sync.doubt import Doubt
from services.sync.journal_watch import JournalWatch
from services.sync.lanes import Lanes
from services.sync.line import Line, Route
from services.sync.lock import EngineLock
from services.sync.pace import backoff
from services.sync.peering import Peer
from services.sync.position import Position
from services.sync.probes import ProbeServer
from services.sync.recalls import Recaller
from services.sync.recorder import Recorder
from services.sync.relayer import Relayer
from services.sync.room import Room
from services.sync.secured import Secured
from services.sync.senders import Who
from services.sync.shares import Shares
from services.sync.trust import Trust
from services.sync.wire import Wire
from services.sync.witnesses import Exchange

log = get_logger("engine")

STOP_SECONDS = 5.0
# Entries make no cycles. Looking for some after every 700 of them took a third of a receiver's time.
GARBAGE_AFTER = 100_000
SWITCH_SECONDS = 0.001  # one lane computes while another feeds the database: neither may hold the other up for long
START_RETRY_SECONDS = (1.0, 30.0)


class Engine:
    """`run` returns after `stop`; `stop` may be called from any thread or a signal handler."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.node = settings.node
        self.topology: Topology = load_topology(settings.topology)
        self.is_directorate = self.topology.node(self.node).kind is NodeKind.DIRECTORATE
        self.database = Database(settings.database_url_of("sync"), service="sync")
        self.loop = IOLoop()
        self.lanes = Lanes(self.loop.add_callback_threadsafe)
        self.shares = Shares()
        self.peers: dict[str, Peer] = {}
        self.carriers: list[Carrier] = []
        self.recaller = Recaller(self.node, database=self.database, lane=self.lanes.lane(), timers=self.loop)
        self.doubt: Doubt | None = None
        self._forked: frozenset[str] = frozenset()
        self._lock = EngineLock(self.node, settings.home, self.database)
        self.trust = self._trust_of_files()
        self._stopping = threading.Event()
        self._failed: Exception | None = None
        self._running = False
        self.begins_again = False  # the journal got another life; everything that knew the old one must go

    # --- life

    def run(self) -> None:
        """Run until `stop`. Raises `AlreadyRunning`, `SettingsError`."""
        try:
            self._with_database(self._lock.take)
            life = self._with_database(self._begin)
            if life is not None:
                self._build(life)
                self._serve()
        finally:
            self.lanes.close()
            self._lock.release()
            self.database.close()
        if self._failed is not None:
            raise self._failed

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Finish what is being committed, close the connections, return from `run`."""
        self._stopping.set()
        if self._running:
            self.loop.add_callback_threadsafe(self._stop)

    def _with_database(self, work: Callable[[], Any]) -> Any:
        """Do `work`, waiting for as long as the database is away. None when told to stop meanwhile."""
        failures = 0
        while not self._stopping.is_set():
            try:
                return work()
            except Unavailable as error:
                failures += 1
                log.warning("engine.waits_for_database", cause=error.details)
                self._stopping.wait(backoff(failures, *START_RETRY_SECONDS))
        return None

    def _begin(self) -> journal.Life:
        reached = mark.read(self.settings.home, self.node)
        with self.database.write_silently() as session:
            admissions.at_start(session, self.settings.home, now())
            self.trust.read(session)
            life = journal.begin(session, self.node, above=reached.session if reached else 0)
            self.doubt = doubt.look(session, reached)
            self._forked = doubt.forked(session, life.epoch)
            self._keys, self._told = own_keys.load(session, self.settings), own_keys.told(session)
        if self.doubt is not None:
            log.warning("engine.journal_in_doubt", state=self.doubt.state.value, about=self.doubt.about)
        return life

    def _serve(self) -> None:
        probes = ProbeServer(self.settings.host, self.settings.port_of("engine"), self._ready)
        probes.start()
        self._running = True
        try:
            for carrier in self.carriers:
                carrier.wire.start()
            self.local.start()
            self.control.start()
            self.secured.start()
            self.relayer.start()
            self.room.start()
            for peer in self.peers.values():
                if peer.receiver is not None:
                    peer.receiver.start()
            for exchange in self.exchanges:
                exchange.start()
            self.recaller.start()
            self._say_held_later()
            log.info("engine.started", node=self.node, peers=sorted(self.peers))
            if not self._stopping.is_set():
                self.loop.start()
        except Exception as error:  # one state machine is in a state that nobody thought of: begin with what is on disk
            log.failure("engine.defect", error)
            raise Internal from error
        finally:
            self._running = False
            probes.stop()
            log.info("engine.stopped", node=self.node)

    def _stop(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        wires = [self.local, *(carrier.wire for carrier in self.carriers)]
        for wire in wires:
            wire.stop()

        def look() -> None:
            if any(wire.up for wire in wires) and time.monotonic() < deadline:
                self.loop.call_later(0.05, look)
            else:
                self.loop.stop()

        look()

    def fail(self, error: Exception) -> None:
        """Stop, and raise `error` from `run`: going on would do harm."""
        self._failed = error
        self._stop()

    def begin_again(self) -> None:
        """Stop; `run(settings)` starts another engine that knows the new life of the journal."""
        log.info("engine.begins_again", node=self.node)
        self.begins_again = True
        self._stop()

    def _ready(self) -> dict[str, bool]:
        return {"database": self.database.answers(), "broker": self.local.up}

    # --- parts

    def _build(self, life: journal.Life) -> None:
        who = Who(life, new_id(), f"jisr {version('jisr')}", self._keys, self._told)
        links_out = {link.destination: link for link in self.topology.links_from(self.node)}
        links_in = {link.origin: link for link in self.topology.links_to(self.node)}
        for node in sorted({*links_out, *links_in}):
            if not self.trust.knows(node):  # it is heard as soon as it is admitted
                log.warning("engine.no_key_of_peer", peer=node)
        self.room = Room(disk_of(self.settings), self.lanes.lane(), self.loop)
        self.local = self._local_wire(life)
        metrics.JOURNAL_HEAD.set(life.head.number)
        for node in sorted({*links_out, *links_in}):
            peer = self.peers[node] = Peer(node)
            peer.line = self._line(peer)
            if node in links_out:
                peer.sender = parts.sender(self, peer.line, links_out[node], who)
            if node in links_in:
                peer.receiver = parts.receiver(self, peer.line, node, who)
        reached = frozenset(links_out if self.is_directorate else ())
        self.relayer = Relayer(self.node, reached, self.database, self.lanes.lane(), self.loop, self._on_head)
        self.exchanges = [self._exchange(node) for node in self.topology.witnesses_of(self.node)]
        self.carriers = self._carriers()
        self.control = Control(
            self.database,
            self.lanes.lane(),
            self.loop,
            senders=[peer.sender for peer in self.peers.values() if peer.sender is not None],
            receivers=[peer.receiver for peer in self.peers.values() if peer.receiver is not None],
            trust=self.trust,
            stale=self.settings.replication.stale_seconds,
            keep_lock=self._lock.keep,
            fail=self.fail,
            journal=JournalWatch(
                life, self.settings.home, self.doubt, forked=self._forked, begin_again=self.begin_again
            ),
        )

    def _trust_of_files(self) -> Trust:
        """The keys in `peer_keys`, as far as they are there; what the database says of peers comes to them."""
        out, into = self.topology.links_from(self.node), self.topology.links_to(self.node)
        keys: dict[str, VerifyKey] = {}
        witnesses = self.topology.witnesses_of(self.node)
        for node in {*(link.destination for link in out), *(link.origin for link in into), *witnesses}:
            with suppress(SettingsError):
                keys[node] = VerifyKey.load(self.settings.peer_keys_directory / f"{node}.pub")
        return Trust(keys)

    def _local_wire(self, life: journal.Life) -> Wire:
        self.recorder = Recorder(self.node, self.database, self.lanes.lane(), self.loop.call_later, self._on_head)
        self.secured = Secured(self.settings, self.database, self.lanes.lane(), self.loop)

        def on_up(wire: Wire) -> None:
            self.recorder.open(wire)
            self.secured.on_broker()

        return Wire(
            self.loop,
            self.settings.broker,
            label=f"recorder of {life.origin}",
            waits=self._waits(),
            on_up=on_up,
            on_down=lambda _reason, _unauthorised: None,
        )

    def _waits(self) -> tuple[float, float]:
        timing = self.settings.replication
        return timing.backoff_first_seconds, timing.backoff_max_seconds

    def _line(self, peer: Peer) -> Line:
        route = Route.of_directorate(peer.node) if self.is_directorate else Route.of_governorate(self.node)

        def on_confirm(token: int, verdict: Any) -> None:
            if verdict == "returned":
                self._declare_again()
            if peer.sender is not None:
                peer.sender.on_confirm(token, verdict)

        def on_message(delivery: Any) -> None:
            if peer.receiver is not None:
                peer.receiver.on_message(delivery)

        return Line(
            route,
            on_ready=peer.on_ready,
            on_gone=peer.on_gone,
            on_message=on_message,
            on_confirm=on_confirm,
            on_blocked=peer.on_blocked,
        )

    def _exchange(self, peer: str) -> Exchange:
        return Exchange(
            self.node,
            peer,
            key=self._keys.present,
            trust=self.trust,
            database=self.database,
            lane=self.lanes.lane(),
            timers=self.loop,
            every_seconds=self.settings.replication.witness_seconds,
            returned=self._declare_again,
        )

    def _declare_again(self) -> None:
        for carrier in self.carriers:
            carrier.declare_again()

    def _carriers(self) -> list[Carrier]:
        """At a directorate its own broker carries every link; a governorate dials out to each directorate's.

        Directorates that compare what they hold dial each other where the settings say how.
        """
        lines = {peer.node: peer.line for peer in self.peers.values() if peer.line is not None}
        if self.is_directorate:
            reached = [each for each in self.exchanges if each.peer in self.settings.links]
            dialled = [self._carrier_to(each.peer, each.far) for each in reached]
            lines |= {each.peer: each.near for each in self.exchanges}
            return [
                *(carrier for carrier in dialled if carrier is not None),
                Carrier(
                    self.loop,
                    self.settings.broker,
                    label=f"links of {self.node}",
                    waits=self._waits(),
                    lines=list(lines.values()),
                    declare=sorted(lines),
                ),
            ]
        found = [self._carrier_to(node, line) for node, line in sorted(lines.items())]
        return [carrier for carrier in found if carrier is not None]

    def _carrier_to(self, node: str, line: Line) -> Carrier | None:
        """None where the settings do not say how to reach a directorate: the others must not wait for that."""
        link = self.settings.links.get(node)
        if link is None or not link.broker_url:
            log.warning("engine.link_without_address", destination=node)
            sender = self.peers[node].sender if node in self.peers else None
            if sender is not None:
                sender.note = f"The settings do not say where its broker is: `links.{node}.broker_url`."
            return None
        return Carrier(
            self.loop,
            link.broker_url,
            label=f"{self.node} to {node}",
            waits=self._waits(),
            lines=[line],
            tls=self.settings.tls_of(node),
        )

    def _on_head(self, head: Position) -> None:
        for peer in self.peers.values():
            if peer.sender is not None:
                peer.sender.on_head(head)

    def _say_held_later(self) -> None:
        def say() -> None:
            for peer in self.peers.values():
                if peer.receiver is not None:
                    peer.receiver.say_held_on_the_clock()
            self._say_held_later()

        self.loop.call_later(self.settings.replication.hello_seconds, say)


def run(settings: Settings) -> None:
    """Run the engine of this node until SIGTERM or SIGINT. Raises `AlreadyRunning`, `SettingsError`."""
    heap.give_back_large_blocks()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 20, 20)
    sys.setswitchinterval(SWITCH_SECONDS)
    goes_on = True
    while goes_on:
        engine = Engine(settings)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda _number, _frame, engine=engine: engine.stop())  # type: ignore[misc]
        engine.run()
        goes_on = engine.begins_again and not engine.stopping
