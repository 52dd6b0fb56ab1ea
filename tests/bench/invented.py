"""Facts whose sizes and variety are those of real ones: eight in ten continue a case that was opened before."""

import random
from datetime import UTC, datetime, timedelta

from contracts.case.words import AgeBand, Category, Channel, RecordingClass, Risk
from kernel.fact import Fact, canonical
from kernel.ids import new_id

DISTRICTS = ("mosul", "tal-afar", "sinjar", "hamdaniya", "tilkaif", "shekhan", "akre", "baaj", "hatra")
STATUSES = ("received", "triaged", "assigned", "in_progress", "resolution_proposed", "closed")
EVENTS = ("opened", "triaged", "assigned", "started", "noted", "proposed", "closed")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Cases:
    """An endless, reproducible stream of facts about cases."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._open: list[tuple[str, int, str]] = []
        self._made = 0

    def facts(self, count: int) -> list[Fact]:
        return [self._next() for _ in range(count)]

    def _next(self) -> Fact:
        chance = self._random
        if self._open and chance.random() < 0.8:
            at = chance.randrange(len(self._open))
            subject, version, number = self._open[at]
            self._open[at] = (subject, version + 1, number)
            event = chance.choice(EVENTS[1:])
        else:
            self._made += 1
            subject, version, event = new_id(), 0, "opened"
            number = f"NI-2026-{self._made:06d}-{chance.choice('ABCDEFGH')}"
            self._open.append((subject, 1, number))
            self._open = self._open[-2000:]
        return self._fact(subject, version + 1, event, number)

    def _fact(self, subject: str, version: int, event: str, number: str) -> Fact:
        chance = self._random
        at = BEGIN + timedelta(seconds=chance.randrange(200 * 86400), microseconds=chance.randrange(10**6))
        class_ = chance.choice(list(RecordingClass)).value
        head = {
            "id": new_id(),
            "type": f"case.{event}.v1",
            "subject": subject,
            "version": version,
            "audience": [],
        }
        statistical = {
            "district": chance.choice(DISTRICTS),
            "week": f"2026-W{chance.randrange(1, 30):02d}",
            "month": f"2026-{chance.randrange(1, 8):02d}",
            "category": chance.choice(list(Category)).value,
            "category_group": "dispute",
            "recording_class": class_,
            "current_class": class_,
            "status": chance.choice(STATUSES),
            "outcome": None,
            "age_band": chance.choice(list(AgeBand)).value,
            "parties": "told",
            "parties_by_sex": {"female": chance.randrange(3), "male": chance.randrange(3)},
        }
        operational = {
            "at": at.isoformat().replace("+00:00", "Z"),
            "case_number": number,
            "unit": "mosul-left",
            "handler": f"{chance.getrandbits(128):032x}",
            "risk": chance.choice(list(Risk)).value,
            "channel": chance.choice(list(Channel)).value,
            "reported_at": at.isoformat().replace("+00:00", "Z"),
            "incident_from": at.date().isoformat(),
            "incident_until": None,
            "first_contact_at": None,
            "review_on": None,
            "closed_at": None,
            "notes": chance.randrange(5),
        }
        return Fact(canonical(head), canonical(statistical), canonical(operational))
