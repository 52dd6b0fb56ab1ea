"""What a link may carry: the table of docs/protocol.md, line by line."""

import pytest

from services.sync.disclosure import Clearance, decide, show
from services.sync.entry import Full, Statistical, Withheld, record
from tests.replication.in_memory import salt

HERE, ELSEWHERE, FAR = "directorate-baghdad", "directorate-erbil", "duhok"
UP = frozenset({"anbar", FAR})
DOWN: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("clearance", "audience", "restricted", "form"),
    [
        ("operational", [], False, "full"),
        ("operational", [], True, "full"),
        ("operational", [HERE], False, "full"),
        ("operational", [ELSEWHERE], False, "withheld"),
        ("operational", [ELSEWHERE], True, "withheld"),
        ("operational", [FAR], False, "full"),
        ("operational", [FAR], True, "full"),
        ("operational", [ELSEWHERE, FAR], False, "full"),
        ("statistical", [], False, "statistical"),
        ("statistical", [], True, "withheld"),
        ("statistical", [HERE], False, "statistical"),
        ("statistical", [HERE], True, "withheld"),
        ("statistical", [ELSEWHERE], False, "withheld"),
        ("statistical", [FAR], False, "full"),
        ("statistical", [FAR], True, "withheld"),
    ],
)
def test_a_link_up_shows_what_its_clearance_and_the_audience_allow(
    clearance: str, audience: list[str], restricted: bool, form: str
) -> None:
    assert decide(Clearance(clearance), HERE, audience, restricted, UP) == form


@pytest.mark.parametrize(
    ("audience", "form"), [([], "full"), ([FAR], "full"), (["anbar"], "withheld"), ([HERE], "withheld")]
)
def test_a_link_down_relays_nothing_to_others(audience: list[str], form: str) -> None:
    assert decide(Clearance.OPERATIONAL, FAR, audience, False, DOWN) == form


def test_each_form_carries_its_parts_and_the_same_leaf() -> None:
    class Parts:
        head, statistical, operational, sealed, restricted = b'{"id":"1"}', b'{"n":1}', b'{"o":1}', b"\0\1", False

    entry = record(1, Parts(), salt(1))
    full = show(entry, decide(Clearance.OPERATIONAL, HERE, [], False))
    statistical = show(entry, decide(Clearance.STATISTICAL, HERE, [], False))
    withheld = show(entry, decide(Clearance.STATISTICAL, HERE, [], True))
    assert full == Full(entry.head, entry.statistical, entry.salt, entry.operational, entry.sealed)
    assert isinstance(statistical, Statistical)
    assert withheld == Withheld(entry.leaf)
    assert full.leaf == statistical.leaf == entry.leaf
