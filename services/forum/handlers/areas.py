"""Areas: the places of this node's governorate."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from contracts import gazetteer
from kernel.identity import Actor
from kernel.ids import new_id
from services.forum import facts, found
from services.forum.tables import Area


def add_area(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Area:
    """Add a place. Its district must be one of this governorate, and that of the area which contains it."""
    _must_be_ours(values["district"], by.node)
    parent = found.area(session, values["parent_id"]) if values["parent_id"] else None
    if parent is not None and parent.kind != "governorate" and parent.district != values["district"]:
        raise found.wrong("parent_id", f"That area is in the district {parent.district}.")
    area = Area(
        id=new_id(),
        kind=values["kind"],
        names=known_names(values["names"]),
        district=values["district"],
        parent_id=values["parent_id"],
        area_type=values["area_type"],
        code=values["code"],
        added_at=now,
    )
    session.add(area)
    facts.tell_area(session, area, "added", at=now)
    return area


def _must_be_ours(slug: str, governorate: str) -> None:
    ours = [district.slug for district in gazetteer.districts(governorate)]
    if slug not in ours:
        choices = ", ".join(ours) or "none: areas are added in governorates"
        raise found.wrong("district", f"Not a district of {governorate}; there are: {choices}.")


def known_names(names: Mapping[str, str | None]) -> dict[str, str]:
    """The languages in which a name is known."""
    return {language: name for language, name in names.items() if name}
