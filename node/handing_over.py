"""What a recovery brought back is handed to the services that own it.

Each service takes over in one transaction of its own database, and taking over again changes nothing. So a command that
was interrupted does the rest the next time, and the recovery is marked as handed over when every service has it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session

from contracts import rules
from contracts.recovering import TakenOver
from kernel.clock import now
from kernel.fact import Fact
from kernel.log import get_logger
from node.commands.databases import opened
from node.commands.link import sync_database
from node.processes import Prepared
from services.case.handlers import recovery as case
from services.forum.handlers import recovery as forum
from services.sync.journal import fact_of
from services.sync.tables import JournalEntry, Recovery

log = get_logger("recovery")

COLUMNS = ("facts", "restored", "incomplete", "renumbered")
Take = Callable[[Session, list[Fact], Mapping[str, int], datetime], TakenOver]

entries: Table = JournalEntry.__table__


def hand_over(prepared: Prepared) -> dict[str, Any]:
    """Hand over every recovery that was not yet; counts of what the services made of it."""
    counted: Counter[str] = Counter(dict.fromkeys(COLUMNS, 0))
    database = sync_database(prepared)
    with database.read() as session:
        waiting = list(session.scalars(select(Recovery).where(Recovery.__table__.c.handed_at.is_(None))))
        for row in waiting:
            session.expunge(row)
    for row in waiting:
        with database.read() as session:
            facts, since = _recovered(session, row), _since(session, row)
        for service, take in _takers(prepared).items():
            counted.update(_hand_to(prepared, service, take, facts, since))
        with database.write_silently() as session:
            session.get_one(Recovery, row.epoch).handed_at = now()
    return dict(counted)


def _takers(prepared: Prepared) -> dict[str, Take]:
    iso, policy = prepared.node.iso, rules.load(prepared.settings.rules).forum

    def case_takes(session: Session, facts: list[Fact], since: Mapping[str, int], at: datetime) -> TakenOver:
        return case.take_over(session, facts, iso=iso, since=since, now=at)

    def forum_takes(session: Session, facts: list[Fact], since: Mapping[str, int], at: datetime) -> TakenOver:
        return forum.take_over(session, facts, iso=iso, since=since, now=at, rules=policy)

    return {"case": case_takes, "forum": forum_takes}


def _hand_to(
    prepared: Prepared, service: str, take: Take, facts: list[Fact], since: Mapping[str, int]
) -> dict[str, int]:
    with opened(prepared.settings, service).write() as session:
        done = take(session, facts, since, now())
    log.info("recovery.handed_over", service=service, facts=done.facts, incomplete=done.incomplete)
    return {name: getattr(done, name) for name in COLUMNS}


def _recovered(session: Session, row: Recovery) -> list[Fact]:
    """The facts that came back and of which more than the leaf is known, those of forked copies among them."""
    numbers = (entries.c.number > row.after, entries.c.number <= row.until + row.renumbered)
    given_back = (entries.c.recorded_at == row.at, entries.c.type != "withheld")
    return [fact_of(each) for each in session.scalars(_in_order(*numbers, *given_back))]


def _since(session: Session, row: Recovery) -> dict[str, int]:
    """Of every record that was changed after the restore: the lowest version that it had then.

    It was restored where the first copy leaves this node's history, which may be before what was followed.
    """
    left = min([row.after, *(after for after in row.forked().values() if after is not None)])
    numbers = (entries.c.number > left, entries.c.number <= row.until + row.renumbered)
    found: dict[str, int] = {}
    for each in session.scalars(_in_order(*numbers, entries.c.recorded_at != row.at)):
        if each.head:
            fact = fact_of(each)
            found[fact.subject] = min(fact.version, found.get(fact.subject, fact.version))
    return found


def _in_order(*where: Any) -> Any:
    return select(JournalEntry).where(*where).order_by(entries.c.number)
