"""Printed numbers: what the check character notices, and what it cannot."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from contracts.numbers import check, number, year_of

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

printed = st.builds(
    number,
    iso=st.sampled_from(["NI", "AN", "DA", "BG", "AR"]),
    year=st.integers(2020, 2099),
    sequence=st.integers(1, 9_999_999),
    prefix=st.sampled_from(["", "F", "M", "A", "R", "T", "W"]),
)


def test_a_number_says_node_year_place_and_check() -> None:
    assert number("NI", 2026, 123) == "NI-2026-000123-0"
    assert number("NI", 2026, 1, "R") == "R-NI-2026-000001-W"
    assert number("NI", 2026, 1_234_567).startswith("NI-2026-1234567-")


@given(printed)
def test_a_number_that_was_made_passes_the_check(text: str) -> None:
    assert check(text)


@given(printed, st.data())
def test_every_single_wrong_character_is_noticed(text: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([at for at, sign in enumerate(text) if sign != "-"]))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda sign: sign != text[place]))
    assert not check(text[:place] + other + text[place + 1 :])


@given(printed, st.data())
def test_two_neighbours_exchanged_are_noticed_except_where_the_standard_is_blind(
    text: str, data: st.DataObject
) -> None:
    plain = text.replace("-", "")
    place = data.draw(st.integers(0, len(plain) - 2))
    left, right = plain[place], plain[place + 1]
    assume(left != right)
    exchanged = plain[:place] + right + left + plain[place + 2 :]
    blind = _running(plain[:place] + left + right) == _running(plain[:place] + right + left)
    assert mod_37_36.is_valid(exchanged) == blind


def test_the_standard_is_blind_for_one_exchanged_pair_in_630() -> None:
    pairs = list(itertools.combinations(range(36), 2))
    assert len(pairs) == 630
    for running in range(36):
        unnoticed = [pair for pair in pairs if _after(running, *pair) == _after(running, *reversed(pair))]
        assert len(unnoticed) == 1


def _running(text: str) -> int:
    return mod_37_36.checksum(text)


def _after(running: int, first: int, second: int) -> int:
    for value in (first, second):
        running = (((running or 36) * 2) % 37 + value) % 36
    return running


@given(printed)
def test_a_number_of_one_kind_is_none_of_another(text: str) -> None:
    assert not check(text[2:] if text[1] == "-" else f"R-{text}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NI-2026-000123",
        "ni-2026-000123-0",
        "NI-2026-٠٠٠١٢٣-0",
        " NI-2026-000123-0",
        "NI-2026-000123-0\n",
        "NI202600001230",
    ],
)
def test_what_does_not_look_like_a_number_is_none(text: str) -> None:
    assert not check(text)


@pytest.mark.parametrize(
    ("iso", "year", "sequence", "prefix"),
    [
        ("NI", 2026, 0, ""),
        ("NI", 2026, -1, ""),
        ("N", 2026, 1, ""),
        ("ni", 2026, 1, ""),
        ("NI", 12026, 1, ""),
        ("NI", 2026, 1, "RR"),
    ],
)
def test_a_number_is_not_made_of_what_would_not_be_one(iso: str, year: int, sequence: int, prefix: str) -> None:
    with pytest.raises(ValueError):
        number(iso, year, sequence, prefix)


def test_the_year_changes_at_midnight_in_baghdad() -> None:
    assert year_of(datetime(2026, 12, 31, 20, 59, tzinfo=UTC)) == 2026
    assert year_of(datetime(2026, 12, 31, 21, 0, tzinfo=UTC)) == 2027
