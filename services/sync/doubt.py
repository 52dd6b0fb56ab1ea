"""Doubt: why this node sends nothing from its journal, on no link, until a person decides.

A journal that was put back from a backup and written on tells another history. Whichever directorate hears it first
would hold that history, the other one the first, and no recovery could join them without setting something aside. So
the first sign of it, by the mark (mark.py) or by what one destination holds, stops every link: nothing is lost by
waiting, and the node goes on recording and serving. The doubt is kept in the database and ends with a recovery, with
`jisr sync keep`, or with resuming the link that raised it. A link that is paused raises none, nor one whose destination
was known to hold another history when this life of the journal began.
"""

from dataclasses import dataclass

from sqlmodel import Session

from contracts.sync import LinkState
from services.sync.journal import position_at
from services.sync.mark import Mark
from services.sync.tables import JournalState, Recovery

MARK = "mark"  # what raised it, where it was not a destination
RAISING = frozenset({LinkState.ROLLED_BACK, LinkState.DIVERGED})


@dataclass(frozen=True)
class Doubt:
    """In which state the links are meanwhile, why, and who or what raised it."""

    state: LinkState
    reason: str
    about: str

    @property
    def word(self) -> tuple[LinkState, str]:
        """What every link shows."""
        return self.state, self.reason


def read(session: Session) -> Doubt | None:
    """The doubt there is."""
    row = session.get(JournalState, 1)
    if row is None or row.doubt is None:
        return None
    return Doubt(LinkState(row.doubt), row.doubt_reason or "", row.doubt_about or "")


def raise_(session: Session, doubt: Doubt) -> None:
    """Keep a doubt, unless there is one already, in the caller's transaction."""
    row = session.get(JournalState, 1, with_for_update=True)
    if row is not None and row.doubt is None:
        row.doubt, row.doubt_reason, row.doubt_about = doubt.state.value, doubt.reason, doubt.about


def clear(session: Session, about: str | None = None) -> None:
    """End the doubt; with `about` only if that raised it."""
    row = session.get(JournalState, 1, with_for_update=True)
    if row is not None and about in (None, row.doubt_about):
        row.doubt = row.doubt_reason = row.doubt_about = None


def of_mark(session: Session, mark: Mark | None) -> Doubt | None:
    """What the mark says against the journal in this database."""
    row = session.get(JournalState, 1)
    if mark is None or row is None or mark.epoch < row.epoch:
        return None
    place = position_at(session, mark.origin, mark.head.number)
    if mark.epoch > row.epoch or place is None:
        reason = f"This journal ends at {row.number}, and had reached {mark.head.number}: restored from an old backup?"
        return Doubt(LinkState.ROLLED_BACK, reason, MARK)
    if place.digest != mark.head.digest:
        reason = f"This journal has another digest at {mark.head.number} than it had: restored from an old backup?"
        return Doubt(LinkState.DIVERGED, reason, MARK)
    return None


def look(session: Session, mark: Mark | None) -> Doubt | None:
    """At a start of the engine: the doubt there is now, after the mark was compared."""
    found = of_mark(session, mark)
    if found is None:
        clear(session, MARK)
    else:
        raise_(session, found)
    return read(session)


def forked(session: Session, epoch: int) -> frozenset[str]:
    """The destinations that were known to hold another history when this life of the journal began."""
    row = session.get(Recovery, epoch)
    return frozenset(row.forked()) if row is not None else frozenset()
