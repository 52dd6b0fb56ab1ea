"""One chain, many views: every clearance folds to the same digest, and no byte can change unnoticed."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kernel.fact import Fact
from services.sync import replica
from services.sync.disclosure import Clearance, Disclosure, show
from services.sync.entry import BadEntry, Full, Shown, Statistical, Withheld, decode, encode
from services.sync.message import BadMessage, Hello, open_message, sign
from services.sync.position import Position, advance, digests, start
from tests.replication.in_memory import (
    HOME,
    KEYS,
    OTHER,
    RING,
    Origin,
    changed,
    clearances,
    facts,
    judge,
    with_entries,
)

some_facts = st.lists(facts, min_size=1, max_size=5)
byte_changes = st.tuples(st.integers(0, 1 << 20), st.integers(1, 255))
PARTS = ("head", "statistical", "salt", "operational", "sealed", "commitment", "leaf")


def fold(origin: Origin, shown: list[Shown]) -> Position:
    position = start(origin.name, origin.epoch)
    for one in shown:
        position = advance(position, one.leaf)
    return position


@given(some_facts)
def test_both_clearances_fold_to_the_same_position(written: list[Fact]) -> None:
    origin = Origin().write_all(written)
    home = origin.shown(Clearance.OPERATIONAL, HOME)
    other = origin.shown(Clearance.STATISTICAL, OTHER)
    assert fold(origin, home) == fold(origin, other) == origin.head


@given(some_facts, st.data())
def test_any_mixture_of_disclosures_folds_to_the_same_position(written: list[Fact], data: st.DataObject) -> None:
    origin = Origin().write_all(written)
    shown = [show(entry, data.draw(st.sampled_from(Disclosure))) for entry in origin.entries]
    assert fold(origin, shown) == origin.head


@given(some_facts)
def test_folding_in_bulk_is_advancing_one_by_one(written: list[Fact]) -> None:
    origin = Origin().write_all(written)
    chain = digests(origin.positions[0], [entry.leaf for entry in origin.entries])
    assert chain == [position.digest for position in origin.positions[1:]]


@given(some_facts, clearances)
def test_entries_come_out_of_the_wire_byte_for_byte(written: list[Fact], clearance: Clearance) -> None:
    shown = Origin().write_all(written).shown(clearance, HOME)
    assert decode(encode(shown)) == shown


def holders_of(part: str, shown: list[Shown]) -> list[int]:
    return [at for at, one in enumerate(shown) if part in one.__struct_fields__ and getattr(one, part)]


@given(some_facts, st.sampled_from(Disclosure), st.sampled_from(PARTS), byte_changes, st.data())
def test_one_changed_byte_in_any_part_of_any_entry_is_noticed(
    written: list[Fact], disclosure: Disclosure, part: str, change: tuple[int, int], data: st.DataObject
) -> None:
    origin = Origin().write_all(written)
    shown = [show(entry, disclosure) for entry in origin.entries]
    holders = holders_of(part, shown)
    assume(holders)
    at = data.draw(st.sampled_from(holders))
    shown[at] = altered(shown[at], part, change)
    honest = origin.batch(Clearance.OPERATIONAL, HOME, 0, len(shown))
    verdict = judge(replica.begin(origin.name, origin.epoch), with_entries(honest, shown))
    assert isinstance(verdict, replica.Refuse)


def altered(one: Shown, part: str, change: tuple[int, int]) -> Shown:
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return type(one)(**{**values, part: changed(values[part], *change)})


@given(some_facts, clearances, byte_changes)
def test_one_changed_byte_in_a_body_is_noticed(
    written: list[Fact], clearance: Clearance, change: tuple[int, int]
) -> None:
    origin = Origin().write_all(written)
    body, headers = sign(origin.batch(clearance, HOME, 0, len(written)), KEYS["ninewa"])
    with pytest.raises(BadMessage):
        open_message(changed(body, *change), headers, RING)


@given(byte_changes, st.sampled_from(["jisr-key", "jisr-signature"]))
def test_one_changed_byte_in_a_header_is_noticed(change: tuple[int, int], name: str) -> None:
    hello = Hello("ninewa", 1, 1, "boot", start("ninewa", 1), "test")
    body, headers = sign(hello, KEYS["ninewa"])
    value = changed(headers[name].encode(), *change).decode("latin-1")
    with pytest.raises(BadMessage):
        open_message(body, {**headers, name: value}, RING)


@given(some_facts, clearances, st.data())
def test_a_signed_batch_with_any_other_position_is_refused(
    written: list[Fact], clearance: Clearance, data: st.DataObject
) -> None:
    """The origin itself cannot name positions that its entries do not lead to."""
    origin = Origin().write_all(written)
    batch = origin.batch(clearance, HOME, 0, len(written))
    which = data.draw(st.sampled_from(["start", "end"]))
    position = getattr(batch, which)
    change = data.draw(byte_changes)
    lying = replace(batch, **{which: replace(position, digest=changed(position.digest, *change))})
    assert isinstance(judge(replica.begin("ninewa", 1), lying), replica.Refuse)


@given(some_facts, st.data())
@settings(max_examples=50)
def test_leaving_out_or_swapping_entries_is_noticed(written: list[Fact], data: st.DataObject) -> None:
    origin = Origin().write_all([*written, *written])
    shown = origin.shown(Clearance.OPERATIONAL, HOME)
    honest = origin.batch(Clearance.OPERATIONAL, HOME, 0, len(shown))
    order = data.draw(st.permutations(range(len(shown))))
    kept = data.draw(st.integers(1, len(shown)))
    tampered = [shown[at] for at in order[:kept]]
    assume(tampered != shown)
    verdict = judge(replica.begin("ninewa", 1), with_entries(honest, tampered))
    assert isinstance(verdict, replica.Refuse)


@given(some_facts)
def test_a_fact_disclosed_later_can_be_checked_against_what_was_withheld_then(written: list[Fact]) -> None:
    origin = Origin().write_all(written)
    for entry in origin.entries:
        withheld, later = Withheld(entry.leaf), show(entry, Disclosure.FULL)
        assert isinstance(later, Full)
        assert later.leaf == withheld.leaf


def test_the_same_short_secret_commits_differently_each_time() -> None:
    """Else a statistical receiver could guess a due date by trying them all."""
    fact = Fact(b'{"id":"1"}', b"{}", b'{"due":"2026-01-01"}')
    first, second = Origin().write_all([fact, fact]).shown(Clearance.STATISTICAL, OTHER)
    assert isinstance(first, Statistical)
    assert isinstance(second, Statistical)
    assert first.commitment != second.commitment


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_entries_or_survive_the_round_trip(data: bytes) -> None:
    try:
        shown = decode(data)
    except BadEntry:
        return
    assert decode(encode(shown)) == shown
