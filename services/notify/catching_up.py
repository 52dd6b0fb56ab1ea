"""What the broker lost, asked for: the journal and the arrivals, as the sync service holds them.

The broker is fast and may lose everything; the databases are true. So every fact is looked at twice, once when the
broker brings it and once here, and handled by whichever comes first. A fact that cannot be handled here is passed over,
counted and logged: the broker's copy of it is with the dead letters, and one bad fact must not end the reading.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from contracts.rules import NotifyRules
from kernel import metrics
from kernel.clock import now
from kernel.database import Database
from kernel.errors import JisrError, Unavailable
from kernel.fact import Fact, unpack
from kernel.log import get_logger
from services.notify.handlers import cursors, facts

JOURNAL: Final = "journal"
ARRIVALS: Final = "arrivals"
STREAMS: Final = (JOURNAL, ARRIVALS)
LIMIT: Final = 200  # facts asked for at once: about 150 KB
ROUNDS: Final = 50  # in one pass: 10,000 facts, some ten seconds when none of them concerns us
QUEUE: Final = "notify.catch_up"  # the name under which the metrics count what is handled here

Ask = Callable[[str, int, int], Mapping[str, Any]]
"""Stream, after, limit in; `{"head": int, "items": [{"number", "origin", "envelope"}]}` out."""

log = get_logger("notify")


def catch_up(database: Database, ask: Ask, stream: str, *, node: str, mails: bool, policy: NotifyRules) -> int:
    """One bounded pass over what a stream has after our cursor; how many facts had not been handled before.

    Raises `BrokerAway` when nobody answers and `Unavailable` when our database does not; the cursor then stands at what
    was looked at.
    """
    handled = 0
    for _ in range(ROUNDS):
        with database.read() as session:
            place = cursors.place(session, stream)
        answer = ask(stream, place, LIMIT)
        items = answer["items"]
        if answer["head"] < place:
            # The journal we read was replaced by a shorter one. Read it from its beginning: the inbox knows repeats.
            log.warning("notify.stream_went_back", stream=stream, place=place, head=answer["head"])
            _move(database, stream, 0)
            continue
        if not items:
            break
        handled += _handle(database, items, stream, node=node, mails=mails, policy=policy)
        _move(database, stream, items[-1]["number"])
    return handled


def _move(database: Database, stream: str, number: int) -> None:
    with database.write_silently() as session:
        cursors.move(session, stream, number)


def _handle(
    database: Database,
    items: Sequence[Mapping[str, Any]],
    stream: str,
    *,
    node: str,
    mails: bool,
    policy: NotifyRules,
) -> int:
    origins = {fact.id: (fact, item["origin"]) for item in items if (fact := _read(item)) is not None}
    with database.read() as session:
        missed = facts.unseen(session, [fact for fact, _ in origins.values()], arrived=stream == ARRIVALS)
    for fact in missed:
        origin = origins[fact.id][1] if stream == ARRIVALS else None
        _handle_one(database, fact, origin, node=node, mails=mails, policy=policy, now=now())
    return len(missed)


def _read(item: Mapping[str, Any]) -> Fact | None:
    try:
        return unpack(item["envelope"].encode())
    except JisrError as error:
        _passed_over(error, number=item["number"])
        return None


def _handle_one(
    database: Database,
    fact: Fact,
    origin: str | None,
    *,
    node: str,
    mails: bool,
    policy: NotifyRules,
    now: datetime,
) -> None:
    try:
        with database.write_silently() as session:
            if origin is None:
                made = facts.take_fact(session, fact, node=node, mails=mails, policy=policy, now=now)
            else:
                made = facts.take_arrival(session, fact, origin=origin, node=node, mails=mails, now=now)
    except Unavailable:
        raise
    except Exception as error:  # whatever it is, the next fact has a right to be read
        _passed_over(error, fact=fact.id, type=fact.type)
        return
    metrics.HANDLED.labels(QUEUE, "handled").inc()
    metrics.NOTIFICATIONS.labels("inbox", "made").inc(len(made))


def _passed_over(error: Exception, **values: Any) -> None:
    log.failure("notify.passed_over", error, **values)
    metrics.HANDLED.labels(QUEUE, "passed_over").inc()
