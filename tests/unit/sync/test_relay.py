"""What a directorate carries on is what the origin committed, or it is not taken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.topology import load
from kernel.errors import TooLarge
from kernel.fact import MAX_ADDRESSED_BYTES, MAX_SEALED_BYTES, Fact, canonical, check_size
from services.sync import relay
from services.sync.entry import Full, record
from services.sync.position import advance, start
from services.sync.relays import post_of
from tests.kit.small_country import TOPOLOGY
from tests.services.sync.facts import fact

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SALT = b"s" * 16
LETTER = "letter.sent.v1"  # of a kind that no release knows
ZERO = start("ninewa", 1)


def original(one: Fact) -> relay.Original:
    entry = record(1, one, SALT)
    full = Full(entry.head, entry.statistical, entry.salt, entry.operational, entry.sealed)
    return relay.Original("ninewa", 1, 1, ZERO.digest, advance(ZERO, full.leaf).digest, full)


def letter(**parts: object) -> Fact:
    return replace(fact(audience=("duhok", "anbar"), type=LETTER), sealed=b"ciphertext", **parts)  # type: ignore[arg-type]


def carried(one: Fact) -> Full:
    """The `relayed.v1` of `one` as its destination sees it."""
    issued = relay.issue(original(one), ["duhok"], one.id, at=AT)
    entry = record(7, issued, SALT)
    return Full(entry.head, entry.statistical, entry.salt, entry.operational, entry.sealed)


def altered(one: Full, **values: object) -> Full:
    return replace_part(one, {**msgspec.json.decode(one.operational), **values})


def replace_part(one: Full, values: dict[str, object]) -> Full:
    return msgspec.structs.replace(one, operational=canonical(values))


texts = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.dictionaries(texts, texts, max_size=4), st.binary(max_size=60))
def test_it_comes_out_byte_for_byte(values: dict[str, str], sealed: bytes) -> None:
    one = replace(fact(audience=("duhok",), type=LETTER), operational=msgspec.json.encode(values), sealed=sealed)
    assert relay.take_out(carried(one)) == original(one)


def test_a_fact_without_anything_to_hide_has_no_salt_and_still_leads_to_its_digest() -> None:
    one = replace(letter(), operational=b"", sealed=b"")
    assert relay.take_out(carried(one)).entry.salt == b""


@pytest.mark.parametrize(
    "change",
    [
        {"statistical_part": "{}"},
        {"operational_part": '{"case_number":"NI-2026-000002-X"}'},
        {"head": '{"id":"x","type":"t","subject":"s","version":1,"audience":["duhok"]}'},
        {"head": "no JSON"},
        {"head": ""},
        {"salt": ""},
        {"salt": "00" * 16},
        {"number": 2},
        {"number": 0},
        {"before": "00" * 32},
        {"digest": "00" * 32},
        {"digest": "x"},
        {"origin": "Ninewa!"},
        {"epoch": None},
    ],
)
def test_one_word_changed_on_the_way_is_noticed(change: dict[str, object]) -> None:
    with pytest.raises(relay.NotRelayed):
        relay.take_out(altered(carried(letter()), **change))


@pytest.mark.parametrize("type_", ["directive.issued.v1", "case.opened.v1", "operation.done.v1"])
def test_what_only_a_directorate_or_nobody_may_say_is_not_believed_of_a_governorate(type_: str) -> None:
    with pytest.raises(relay.NotRelayed, match="no governorate tells another"):
        relay.take_out(carried(fact(audience=("duhok",), type=type_)))


def test_so_is_another_sealed_part() -> None:
    with pytest.raises(relay.NotRelayed, match="do not lead to its digest"):
        relay.take_out(msgspec.structs.replace(carried(letter()), sealed=b"ciphertexT"))


def test_nobody_gets_what_was_addressed_to_others() -> None:
    one = carried(letter())
    head = canonical({**msgspec.json.decode(one.head), "audience": ["kirkuk"]})
    with pytest.raises(relay.NotRelayed, match="addressed to others"):
        relay.take_out(msgspec.structs.replace(one, head=head))


def test_it_goes_to_those_governorates_that_are_named_and_reached_and_not_home_again() -> None:
    head = fact(audience=("duhok", "ninewa", "directorate-erbil", "halabja")).head
    assert relay.destinations(head, "ninewa", {"ninewa", "duhok", "anbar"}) == ["duhok"]


def test_a_directorate_that_was_restored_writes_the_same_fact_again() -> None:
    one = letter()
    first, again = (relay.issue(original(one), ["duhok"], one.id, at=AT + timedelta(days=day)) for day in (0, 3))
    assert first.id == again.id


def test_the_receipt_names_a_fact_only_to_who_knows_its_id() -> None:
    one = letter()
    said = relay.arrived(one.id, at=AT)
    assert one.id.encode() not in said.head + said.statistical + said.operational
    assert said.subject == relay.receipt_of(one.id)
    assert said.audience == ()


def test_the_largest_addressed_fact_can_be_relayed_and_a_larger_one_is_refused_at_once() -> None:
    room = MAX_ADDRESSED_BYTES - len(letter(operational=b"").head) - len(letter().statistical)
    largest = letter(operational=b'{"a":"' + b'\\"' * ((room - 8) // 2) + b'"}')
    largest = replace(largest, sealed=bytes(MAX_SEALED_BYTES))
    check_size(largest)
    assert relay.take_out(carried(largest)).entry.operational == largest.operational
    with pytest.raises(TooLarge, match="open parts"):
        check_size(replace(largest, operational=largest.operational + b"  "))
    with pytest.raises(TooLarge, match="sealed part"):
        check_size(replace(largest, sealed=bytes(MAX_SEALED_BYTES + 1)))


def test_the_home_directorate_relays_at_once_and_the_other_after_the_wait(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(TOPOLOGY)
    country = load(file)
    home = post_of(country, "directorate-baghdad", "ninewa", wait_seconds=300)
    other = post_of(country, "directorate-erbil", "ninewa", wait_seconds=300)
    assert (home.wait, other.wait) == (timedelta(0), timedelta(minutes=5))
    assert home.reached == other.reached == {"duhok"}
    assert post_of(country, "duhok", "directorate-erbil", wait_seconds=300).opens
