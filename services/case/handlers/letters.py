"""Letters: what one governorate tells another, carried by directorates that can neither read nor write one.

Each is sealed to its reader and proves its sender, also one that has nothing to hide: a directorate that invented
"received" would have a case given away that nobody has. Everything that stands open in it, the event, the subject, the
version and the parts, is bound to what is sealed, so that no letter can be made of pieces of others."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.rules import CaseRules
from kernel.crypto import CannotOpen, OpeningKey, SealingKey, context_of, key_id_of
from kernel.fact import Fact, FactSchema, compose
from kernel.ids import new_id
from services.case.transfer.parts import PART_BYTES


@dataclass(frozen=True)
class Post:
    """What a node needs to write to another and to read what was written to it.

    `key_of`: the sealing key of another node; `formerly`: those that it had before and that are still believed.
    `opening`: this node's key of that id, or the present one. `reachable`: the other governorates whose sealing keys
    are here. `part_bytes`: how much of a released case goes into one letter."""

    node: str
    governorates: frozenset[str]
    key_of: Callable[[str], SealingKey]
    opening: Callable[[str], OpeningKey]
    rules: CaseRules
    reachable: Callable[[], frozenset[str]] = frozenset
    part_bytes: int = PART_BYTES
    formerly: Callable[[str], Sequence[SealingKey]] = lambda _node: ()

    def seal(self, content: bytes, context: bytes, *, to: str) -> bytes:
        """`content` for `to` alone, and proved to be this node's. Raises `TooLarge`, `NoSealKey`."""
        return self.key_of(to).seal(content, context=context, sender=self.opening(""))

    def open(self, sealed: bytes, context: bytes, *, origin: str) -> bytes:
        """What `origin` sealed to this node, either under its present key or one that was put back.

        Raises `CannotOpen`, `NoSealKey`."""
        reader = self.opening(key_id_of(sealed))
        for former in self.formerly(origin):
            with suppress(CannotOpen):
                return reader.open(sealed, context=context, sender=former)
        return reader.open(sealed, context=context, sender=self.key_of(origin))


def written(
    shape: type[FactSchema],
    event: str,
    *,
    subject: str,
    version: int,
    values: Mapping[str, Any],
    at: datetime,
    to: str,
    post: Post,
    content: bytes = b"",
) -> Fact:
    """The letter that `event` happened, for `to` alone. Raises `TooLarge`, `NoSealKey`."""
    opened = compose(shape, event, id=new_id(), subject=subject, version=version, values=values, at=at, audience=[to])
    return sealed(opened, content, to=to, post=post)


def sealed(letter: Fact, content: bytes, *, to: str, post: Post) -> Fact:
    """The letter with `content` sealed into it, in the place of whatever was. Raises `TooLarge`, `NoSealKey`."""
    return replace(letter, sealed=post.seal(content, _context(letter, post.node, to), to=to))


def read(letter: Fact, *, origin: str, post: Post) -> bytes:
    """What is sealed in a letter of `origin`. Raises `CannotOpen` for one that is not all its, `NoSealKey`."""
    return post.open(letter.sealed, _context(letter, origin, post.node), origin=origin)


def _context(letter: Fact, origin: str, reader: str) -> bytes:
    stands_open = b"\0".join((letter.head, letter.statistical, letter.operational))
    return context_of(letter.id, origin, reader, hashlib.sha256(stands_open).hexdigest())
