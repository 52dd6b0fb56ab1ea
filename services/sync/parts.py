"""How the senders and receivers of an engine are made: from its settings, its topology and what it knows of itself."""

from collections.abc import Callable
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING

from sqlmodel import Session

from contracts.topology import LinkSpec
from kernel.settings import LinkSettings
from services.sync import arrivals, journal, message, recalls
from services.sync.batches import relays_to
from services.sync.entry import Shown
from services.sync.folding import Beside
from services.sync.hours import Hours
from services.sync.line import Line
from services.sync.link import Link
from services.sync.receivers import Receiver
from services.sync.relays import Post, post_of
from services.sync.replicas import Replicas
from services.sync.senders import Sender, Who

if TYPE_CHECKING:
    from services.sync.engine import Engine


def sender(engine: "Engine", line: Line, spec: LinkSpec, who: Who) -> Sender:
    """The sender of one link out, with what the settings say of it."""
    timing = engine.settings.replication
    chosen = engine.settings.links.get(spec.destination) or LinkSettings()
    link = Link(
        engine.node,
        spec.destination,
        who.life.epoch,
        who.life.head,
        random=SystemRandom().random,
        window=timing.window_bytes,
        hello_seconds=timing.hello_seconds,
        no_progress_seconds=timing.no_progress_seconds,
        rate=chosen.rate_bytes_per_second,
        begun=journal.FIRST_EPOCH,
        session=who.life.session,
        boot=who.boot,
    )
    link.doubt(engine.doubt.word if engine.doubt else None)
    return Sender(
        spec,
        who,
        link,
        database=engine.database,
        lane=engine.lanes.lane(),
        timers=engine.loop,
        publish=line.publish,
        relays_to=relays_to(engine.topology, engine.node),
        hours=Hours.parse(chosen.windows or ()),
    )


def receiver(engine: "Engine", line: Line, peer: str, who: Who) -> Receiver:
    """The receiver of one peer's queue; what asks that peer for entries of ours shares its line."""
    timing = engine.settings.replication

    def is_for(one: Shown) -> bool:
        return arrivals.is_for(engine.node, one, takes_unaddressed=not engine.is_directorate)

    def say(said: message.Message) -> bool:
        sender = engine.peers[peer].sender
        return line.publish(*message.sign(engine.room.said(said), sender.speaking() if sender else who.keys.present))

    def on_held(held: message.Held) -> None:
        sender = engine.peers[peer].sender
        if sender is not None:
            sender.on_held(held)

    engine.recaller.may_ask(peer, say)
    return Receiver(
        peer,
        replicas=Replicas(
            peer,
            line.route.queue,
            timing.window_bytes,
            is_for,
            _post_of(engine, peer),
            takes_unaddressed=not engine.is_directorate,
            beside=_beside(engine),
            shares=engine.shares,
        ),
        shares=engine.shares,
        trust=engine.trust,
        database=engine.database,
        lane=engine.lanes.lane(),
        lane_ahead=engine.lanes.lane_ahead(),
        timers=engine.loop,
        coalesce=timing.held_coalesce_seconds,
        say=say,
        on_held=on_held,
        on_recalled=engine.recaller.on_recalled,
        recalled=partial(recalls.answer, node=engine.node),
        announce=engine.recorder.announce,
    )


def _beside(engine: "Engine") -> Beside | None:
    database = engine.database
    if database.dialect != "postgresql":
        return None

    def fold(work: Callable[[Session], bool]) -> bool:
        with database.write_silently() as session:
            return work(session)

    return lambda work: engine.lanes.beside(lambda: fold(work))


def _post_of(engine: "Engine", peer: str) -> Post:
    return post_of(engine.topology, engine.node, peer, wait_seconds=engine.settings.replication.relay_after_seconds)
