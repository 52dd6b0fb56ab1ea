"""Receipts as they are made: the same for the same request, nobody else's, and noticed when mistyped."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case.receipts import SIGNS, AskState, Proof
from services.gateway.slips import MistypedReceipt, Receipts, Slip

KEY = bytes(range(32))
slips = st.binary(max_size=64).map(lambda seed: Slip.of(KEY, seed))


@given(st.binary(max_size=64))
def test_a_slip_follows_from_its_seed_and_the_nodes_key(seed: bytes) -> None:
    slip = Slip.of(KEY, seed)
    assert slip == Slip.of(KEY, seed)
    assert slip.digits != Slip.of(bytes(32), seed).digits
    assert (len(slip.digits), len(slip.proof)) == (16, 16)
    assert set(slip.proof) <= set(SIGNS)
    assert slip.commitment == hashlib.sha256(slip.proof.encode()).hexdigest()


@given(slips)
def test_what_is_shown_is_read_back(slip: Slip) -> None:
    shown = slip.shown()
    assert AskState().load({"receipt": shown["receipt"]})["receipt"] == slip.digits
    arabic = shown["receipt"].translate({ord(str(digit)): "٠١٢٣٤٥٦٧٨٩"[digit] for digit in range(10)})
    assert AskState().load({"receipt": arabic})["receipt"] == slip.digits
    assert Proof().deserialize(shown["proof"]) == slip.proof


@given(slips, st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(slip: Slip, place: int, by: int) -> None:
    wrong = str((int(slip.digits[place]) + by) % 10)
    with pytest.raises(MistypedReceipt):
        Receipts(KEY).check(slip.digits[:place] + wrong + slip.digits[place + 1 :])


@given(slips, st.integers(0, 14))
def test_two_swapped_digits_are_noticed(slip: Slip, place: int) -> None:
    one, other = slip.digits[place], slip.digits[place + 1]
    if one != other:
        with pytest.raises(MistypedReceipt):
            Receipts(KEY).check(slip.digits[:place] + other + one + slip.digits[place + 2 :])


def test_the_hash_is_the_nodes_own_and_slow() -> None:
    slip = Slip.of(KEY, b"one")
    assert Receipts(KEY).hashed(slip.digits) == Receipts(KEY).hashed(slip.digits)
    assert Receipts(KEY).hashed(slip.digits) != Receipts(bytes(32)).hashed(slip.digits)
    assert len(Receipts(KEY).hashed(slip.digits)) == 64
