"""Replication by hand: write what a link would send into a bundle, apply a bundle as a receiver would.

Both go on where they were interrupted: an export from the last whole frame of its unfinished file, an import from what
the replica holds. Memory holds one batch, whatever the size of the file. An import shares its transactions' locks with
the engine's receivers and changes nothing that they do not expect: the next word of the origin finds a replica that
holds more.
"""

import os
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from contracts.sync import ReplicaState
from contracts.topology import LinkSpec
from kernel.clock import iso
from kernel.database import Database
from kernel.errors import BadInput, Conflict
from services.sync import bundle, replica, rotation
from services.sync.batches import next_batch
from services.sync.entry import MAX_ENTRIES, Shown
from services.sync.journal import FIRST_EPOCH, head, position_at
from services.sync.message import BadMessage, Batch, Ring, UnknownKind, open_message, ring, sign
from services.sync.own_keys import OwnKeys
from services.sync.pace import MOST_BATCH
from services.sync.position import Position
from services.sync.relays import NO_POST, Post
from services.sync.replicas import Outcome, Refused, Replicas
from services.sync.tables import JournalState, Link

QUEUE = "bundle"  # where a refused message of a bundle is said to have come from

Progress = Callable[[int], None]


class BundleExists(BadInput):
    """The file {file} exists; a bundle is never overwritten."""

    code = "bundle_exists"


class NotOneHistory(Conflict):
    """{destination} holds {number} with another digest than this journal, or more than it has; a bundle cannot help."""

    code = "not_one_history"


class WrongBundle(BadInput):
    """This bundle is from {origin} for {destination}; it cannot be taken at {node}."""

    code = "wrong_bundle"


@dataclass(frozen=True)
class Span:
    """What an export writes: the entries between two places of this journal, in its epoch."""

    epoch: int
    after: Position
    until: int


@dataclass
class Imported:
    """What an import did. `problem`: why it stopped before the end of the file, if it did."""

    origin: str
    held_before: int
    held: int
    batches: int = 0
    repeats: int = 0
    problem: str | None = None

    @property
    def entries(self) -> int:
        """How many entries the replica holds more; a live link may have brought some of them."""
        return self.held - self.held_before


def span(database: Database, spec: LinkSpec, after: int | None) -> Span:
    """From what the destination last said it holds, or after number `after`, to the head as it is now."""
    with database.read() as session:
        state = session.get(JournalState, 1)
        epoch = state.epoch if state else FIRST_EPOCH
        end = head(session, spec.origin)
        row = session.get(Link, spec.destination)
        digest = row.held_digest if row and after is None else None
        number = (row.held_number or 0) if row and after is None else (after or 0)
        place = position_at(session, spec.origin, number) if number <= end.number else None
    if place is None or (digest is not None and digest != place.digest):
        raise NotOneHistory(destination=spec.destination, number=number)
    return Span(epoch, place, end.number)


def export(
    database: Database,
    keys: OwnKeys,
    spec: LinkSpec,
    chosen: Span,
    file: Path,
    *,
    relays_to: Set[str],
    software: str,
    now: datetime,
    progress: Progress = lambda number: None,
) -> int:
    """Write `chosen` into `file`; return the size in bytes. Interrupted, it goes on from the file's `.part`.

    Raises `BundleExists`. The file appears under its name when it is whole and on the disk.
    """
    if file.exists():
        raise BundleExists(file=str(file))
    part = file.with_name(f"{file.name}.part")
    header = bundle.Header(
        spec.origin,
        spec.destination,
        spec.clearance.value,
        chosen.epoch,
        chosen.after.number,
        chosen.until,
        iso(now),
        software,
    )
    with part.open("r+b" if part.exists() else "w+b") as out:
        place, until = _resume(out, header, keys) or _begin(out, header, chosen.after)
        while place.number < until:
            progress(place.number)
            _, key, last = keys.carrying(place.number)
            end = until if last is None else min(until, last)
            with database.read() as session:
                batch = next_batch(
                    session,
                    spec,
                    chosen.epoch,
                    place,
                    max_bytes=MOST_BATCH,
                    max_entries=min(MAX_ENTRIES, end - place.number),
                    relays_to=relays_to,
                )
            if batch is None:
                raise NotOneHistory(destination=spec.destination, number=place.number)
            bundle.write_frame(out, *sign(batch, key))
            place = batch.end
        bundle.write_end(out)
        progress(place.number)
        out.flush()
        os.fsync(out.fileno())
        size = out.tell()
    part.rename(file)
    return size


def _begin(out: BinaryIO, header: bundle.Header, after: Position) -> tuple[Position, int]:
    out.seek(0)
    out.truncate()
    bundle.write_header(out, header)
    return after, header.until


def _resume(out: BinaryIO, header: bundle.Header, own: OwnKeys) -> tuple[Position, int] | None:
    """Where an unfinished file of the same export goes on and where it ends, the file cut to its last whole frame.

    None: begin anew.
    """
    keys = ring({header.origin: [key.verify_key for _, key in own.spans]})
    ends_at, place = 0, None
    try:
        begun = bundle.read_header(out)
        if (begun.origin, begun.destination, begun.epoch, begun.clearance, begun.after) != (
            header.origin,
            header.destination,
            header.epoch,
            header.clearance,
            header.after,
        ):
            return None
        for frame in bundle.frames(out):
            message = open_message(frame.body, frame.headers, keys).message
            if not isinstance(message, Batch) or message.end.number > begun.until:
                return None
            ends_at, place = frame.ends_at, message.end
    except bundle.BundleCut:
        pass
    except (bundle.NotABundle, BadMessage):
        return None
    if place is None:
        return None
    out.seek(ends_at)
    out.truncate()
    return place, begun.until


def check(header: bundle.Header, node: str, origins: Set[str]) -> None:
    """Raise `WrongBundle` for one that is not for this node, or from a node that has no link to it."""
    if header.destination != node or header.origin not in origins:
        raise WrongBundle(origin=header.origin, destination=header.destination, node=node)


def take_in(
    database: Database,
    file: BinaryIO,
    origin: str,
    *,
    keys: Ring,
    is_for: Callable[[Shown], bool],
    clock: Callable[[], datetime],
    post: Post = NO_POST,
    progress: Progress = lambda offset: None,
) -> Imported:
    """Apply the frames of `file`, whose header was read, one commit each; stop at the first that cannot be applied."""
    replicas = Replicas(origin, QUEUE, replica.WINDOW, is_for, post)
    with database.read() as session:
        before = _held(replicas.peek(session))
    done = Imported(origin, before, before)
    try:
        for frame in bundle.frames(file):
            if _take_frame(database, replicas, frame, keys, clock(), done).learned:
                with database.read() as session:
                    keys = rotation.followed(session, keys, rotation.tell)
            progress(frame.ends_at)
            if done.problem:
                break
    except (bundle.BundleCut, bundle.NotABundle) as error:
        done.problem = error.message
    return done


def _held(outcome: Outcome) -> int:
    return outcome.state.held.number if outcome.state else 0


def _take_frame(
    database: Database, replicas: Replicas, frame: bundle.Frame, keys: Ring, now: datetime, done: Imported
) -> Outcome:
    """The checks of a live receiver, in its order; what it would put aside is put aside here."""
    batches, refused = [], []
    try:
        opened = open_message(frame.body, frame.headers, keys)
        if opened.signer != done.origin:
            raise BadMessage(f"{opened.signer} signed a message in a bundle of {done.origin}.")
        if not isinstance(opened.message, Batch):
            return Outcome()
        batches.append(opened.message)
    except UnknownKind:
        return Outcome()
    except BadMessage as error:
        refused.append(Refused(error.message, frame.body, stops=error.signer == done.origin))
    with database.write_silently() as session:
        outcome = replicas.take(session, batches, refused, now, live=False)
    done.batches += 1
    done.repeats += outcome.results["repeat"]
    if outcome.state is not None:
        done.held = outcome.state.held.number
    done.problem = _problem(outcome, batches)
    return outcome


def _problem(outcome: Outcome, batches: list[Batch]) -> str | None:
    if outcome.refusals:
        return outcome.refusals[0]
    if outcome.results["gap"]:
        return (
            f"It goes on after {batches[0].start.number}; {_held(outcome)} is held here. Import what is between first."
        )
    if outcome.results["stopped"] and outcome.state is not None:
        state: ReplicaState = outcome.state.state
        return f"The replica is {state.value}: {outcome.state.reason} An operator must release it first."
    return None
