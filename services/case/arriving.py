"""What other nodes tell this service, taken once, whichever way it comes.

The broker is fast and may lose everything; the sync service's database is true. So each arrival is looked at twice,
once when the broker brings it and once when it is asked for by number, and handled by whichever comes first: the inbox
check and the effect are one commit. What cannot be handled is passed over, counted and logged, and its copy from the
broker
lies with the dead letters: one bad fact must not end the reading.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlmodel import Session

from kernel import inbox, metrics
from kernel.database import Database
from kernel.errors import JisrError, Unavailable
from kernel.fact import Fact, unpack
from kernel.log import get_logger
from services.case.tables import ArrivalCursor

CONSUMER: Final = "case"
STREAM: Final = "arrivals"
QUEUE: Final = "case.catch_up"
LIMIT: Final = 200
ROUNDS: Final = 50  # in one pass: 10,000 arrivals

Ask = Callable[[int, int], Mapping[str, Any]]
"""After, limit in; `{"head": int, "items": [{"number", "origin", "envelope"}]}` out."""
Take = Callable[[Session, Fact, str], None]
"""Session, fact and the node it is of; raises when the fact is not what it should be."""

log = get_logger("case")


def take_once(session: Session, fact: Fact, origin: str, takers: Mapping[str, Take]) -> bool:
    """Handle a fact if its kind is one of `takers` and it was not handled before; whether it was."""
    take = takers.get(fact.kind)
    if take is None or not inbox.first_time(session, CONSUMER, fact.id):
        return False
    take(session, fact, origin)
    return True


def catch_up(database: Database, ask: Ask, takers: Mapping[str, Take]) -> int:
    """One bounded pass over what has arrived after our cursor; how many facts had not been handled before.

    Raises `BrokerAway` when nobody answers and `Unavailable` when our database does not; the cursor then stands at
    what was handled.
    """
    handled = 0
    for _ in range(ROUNDS):
        with database.read() as session:
            place = _place(session)
        answer = ask(place, LIMIT)
        items = answer["items"]
        if answer["head"] < place:
            # What we read was replaced by something shorter. Read it from its beginning: the inbox knows repeats.
            log.warning("case.stream_went_back", place=place, head=answer["head"])
            _move(database, 0)
            continue
        if not items:
            break
        handled += sum(_handle(database, item, takers) for item in items)
        _move(database, items[-1]["number"])
    return handled


def _handle(database: Database, item: Mapping[str, Any], takers: Mapping[str, Take]) -> bool:
    try:
        fact = unpack(item["envelope"].encode())
        if fact.kind not in takers:
            return False
        with database.write() as session:
            taken = take_once(session, fact, item["origin"], takers)
    except Unavailable:
        raise
    except JisrError as error:
        log.failure("case.passed_over", error, number=item["number"])
        metrics.HANDLED.labels(QUEUE, "passed_over").inc()
        return False
    metrics.HANDLED.labels(QUEUE, "handled").inc()
    return taken


def _place(session: Session) -> int:
    cursor = session.get(ArrivalCursor, STREAM)
    return cursor.number if cursor else 0


def _move(database: Database, number: int) -> None:
    with database.write_silently() as session:
        cursor = session.get(ArrivalCursor, STREAM, with_for_update=True) or ArrivalCursor(stream=STREAM, number=0)
        cursor.number = number
        session.add(cursor)
