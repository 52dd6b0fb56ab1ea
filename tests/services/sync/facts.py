"""Facts and slices for the tests of the sync service."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from kernel.fact import Fact, canonical, pack
from kernel.ids import new_id

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STATISTICAL = {
    "district": "mosul",
    "week": "2026-W09",
    "month": "2026-02",
    "category": "family_dispute",
    "category_group": "dispute",
    "recording_class": "non_crime",
    "current_class": "non_crime",
    "status": "received",
    "outcome": None,
    "age_band": "25-34",
    "parties": "told",
}
OPERATIONAL = {"at": "2026-03-01T09:00:00Z", "case_number": "NI-2026-000001-X", "unit": "ninewa-1"}


def fact(
    subject: str | None = None,
    *,
    version: int = 1,
    type: str = "case.opened.v1",
    audience: tuple[str, ...] = (),
    statistical: Mapping[str, Any] | None = None,
    operational: Mapping[str, Any] | None = None,
    restricted: bool = False,
    id: str | None = None,
) -> Fact:
    """A fact of the case service, unless told otherwise."""
    head = {
        "id": id or new_id(),
        "type": type,
        "subject": subject or new_id(),
        "version": version,
        "audience": list(audience),
    }
    return Fact(
        canonical(head),
        canonical({**STATISTICAL, **(statistical or {})}),
        canonical({**OPERATIONAL, **(operational or {})}),
        b"",
        restricted,
    )


def slice_of(facts: list[Fact], *, first: int = 1, service: str = "case", stream: str = "stream-1") -> bytes:
    """The message in which a relay publishes `facts`."""
    return msgspec.json.encode(
        {
            "service": service,
            "stream": stream,
            "first": first,
            "facts": [msgspec.Raw(pack(one)) for one in facts],
        }
    )
