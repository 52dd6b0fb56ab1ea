"""The keys with which this node signs: the first, `node.key`, and those that followed it in its journal.

A key that followed lies in `{home}/node-keys/<key id>.key`, so that it is there wherever the home is, and `keys` may be
read-only. Former keys are kept: whoever was restored to before a change gets the entries up to it by the former key.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, select

from kernel.crypto import SigningKey
from kernel.settings import Settings
from services.sync import journal, rotation
from services.sync.message import KnownKey
from services.sync.tables import Link

DIRECTORY = "node-keys"
PATIENCE = 4  # hellos; what is signed with a key that is not known there is put aside there


@dataclass(frozen=True)
class OwnKeys:
    """Keys by the number after which each carries entries; the first by 0, in the order of their numbers."""

    spans: tuple[tuple[int, SigningKey], ...]

    @classmethod
    def of(cls, key: SigningKey) -> "OwnKeys":
        """A node that never changed its key."""
        return cls(((0, key),))

    @property
    def present(self) -> SigningKey:
        """The key that carries what is recorded now."""
        return self.spans[-1][1]

    def carrying(self, after: int) -> tuple[int, SigningKey, int | None]:
        """The key for entries after number `after`, since which number it is, and the last number it carries."""
        at = max(index for index, (since, _) in enumerate(self.spans) if since <= after)
        until = self.spans[at + 1][0] if at + 1 < len(self.spans) else None
        return self.spans[at][0], self.spans[at][1], until

    def speaking(self, held: int, unheard: int) -> SigningKey:
        """The key for words to somebody who holds `held` of this journal and so knows it.

        When so many hellos since the line opened were `unheard`, the others are tried in turn: the other side may have
        been restored, or this side.
        """
        best = self.carrying(held)[1]
        others = [key for _, key in reversed(self.spans) if key is not best]
        return [best, *others][unheard // PATIENCE % len(self.spans)]


def load(session: Session, settings: Settings) -> OwnKeys:
    """The keys of this node as its journal says. Raises `SettingsError` naming a file that is missing."""
    first = SigningKey.load(settings.keys_directory / "node.key")
    rotations = rotation.read(session, [settings.node], rotation.tell).get(settings.node, [])
    known = rotation.follow(settings.node, [KnownKey(settings.node, first.verify_key)], rotations)
    later = sorted((each.after, each.key.key_id) for each in known if each.after)
    return OwnKeys(((0, first), *((after, SigningKey.load(file_of(settings, key_id))) for after, key_id in later)))


def file_of(settings: Settings, key_id: str) -> Path:
    """Where a key that followed the first one is kept."""
    return settings.home / DIRECTORY / f"{key_id}.key"


def rotate(session: Session, settings: Settings, now: datetime) -> tuple[SigningKey, int]:
    """Make the next key and write it into the journal, in a transaction that no engine shares; the key, its number.

    The key is on the disk before the journal names it: one that was made and not named is never used.
    """
    former = load(session, settings).present
    key = SigningKey.new()
    file = file_of(settings, key.key_id)
    key.save(file)
    key.verify_key.save(file.with_suffix(".pub"))
    head = journal.issue(session, [rotation.rotated(settings.node, former, key, at=now)], origin=settings.node, now=now)
    return key, head.number


def told(session: Session) -> dict[str, int]:
    """What each destination held of this journal when it was last heard."""
    return {row.destination: row.held_number for row in session.exec(select(Link)) if row.held_number is not None}
