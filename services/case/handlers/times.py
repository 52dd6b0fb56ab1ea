"""Days and instants that a caller states, checked against now and against the case."""

from datetime import date, datetime, timedelta
from typing import TypeVar

from kernel.errors import refuse
from services.case.refusals import AlreadyPast, BeforeTheCase, NotYet
from services.case.telling import local_day

CLOCK_LEEWAY = timedelta(minutes=5)  # an officer's telephone may be a little ahead of the server

Time = TypeVar("Time", date, datetime)


def check_not_later(field: str, stated: Time | None, now: Time) -> None:
    """Raise `NotYet` for an instant (beyond the leeway of clocks) or a day after `now`."""
    leeway = CLOCK_LEEWAY if isinstance(now, datetime) else timedelta()
    if stated is not None and stated > now + leeway:
        refuse(NotYet, field=field)


def check_to_come(field: str, stated: date, now: datetime) -> None:
    """Raise `AlreadyPast` for a day that is not after today."""
    if stated <= local_day(now):
        refuse(AlreadyPast, field=field)


def check_not_before_report(field: str, stated: datetime, reported_at: datetime) -> None:
    """Raise `BeforeTheCase` for an instant on a day before the report; within the day, clocks and memory
    differ."""
    if local_day(stated) < local_day(reported_at):
        refuse(BeforeTheCase, field=field)
