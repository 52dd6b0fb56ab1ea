"""A position names a place in one life of one journal."""

from hashlib import sha256

import pytest

from services.sync.position import Position, advance, digests, start


def test_a_journal_starts_from_its_origin_and_epoch() -> None:
    assert start("ninewa", 1) == Position(0, sha256(b"jisr/1ninewa" + bytes(7) + b"\1").digest())


@pytest.mark.parametrize(("origin", "epoch"), [("anbar", 1), ("ninewa", 2), ("ninew", 1)])
def test_another_origin_or_epoch_starts_elsewhere(origin: str, epoch: int) -> None:
    assert start(origin, epoch) != start("ninewa", 1)


def test_a_digest_covers_what_was_before_the_number_and_the_leaf() -> None:
    first = start("ninewa", 1)
    leaf = bytes(range(32))
    assert advance(first, leaf) == Position(1, sha256(first.digest + bytes(7) + b"\1" + leaf).digest())


def test_the_same_leaf_again_leads_on() -> None:
    one = advance(start("ninewa", 1), bytes(32))
    two = advance(one, bytes(32))
    assert (one.number, two.number) == (1, 2)
    assert one.digest != two.digest
    assert digests(start("ninewa", 1), [bytes(32)] * 2) == [one.digest, two.digest]


def test_a_digest_is_shown_as_hexadecimal() -> None:
    assert Position(3, b"\xab" * 32).hex == "ab" * 32
