"""A key is valid by number: for the entries up to the change, or for those after it, and for nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from kernel.crypto import SigningKey
from kernel.fact import Fact, canonical
from services.sync import message, rotation
from services.sync.disclosure import Clearance
from services.sync.message import Batch, FormerKey, Hello, KnownKey, NotSigned, UnknownKind, open_message, sign
from services.sync.opened import Opened
from services.sync.own_keys import OwnKeys
from services.sync.position import Position
from services.sync.rotation import Rotation
from tests.replication.in_memory import HOME, Origin

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FIRST, SECOND, THIRD, STRANGER = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3, 4))


def change(number: int, former: SigningKey, key: SigningKey, origin: str = "ninewa") -> Rotation:
    said = msgspec.json.decode(rotation.rotated(origin, former, key, at=AT).statistical)
    signatures = bytes.fromhex(said["by_former"]), bytes.fromhex(said["by_itself"])
    return Rotation(number, said["former"], key.verify_key, *signatures)


def spans(rotations: list[Rotation], begun: SigningKey = FIRST) -> dict[str, tuple[int, int | None]]:
    known = rotation.follow("ninewa", [KnownKey("ninewa", begun.verify_key)], rotations)
    return {each.key.key_id: (each.after, each.until) for each in known}


def test_each_key_follows_from_the_one_before_whatever_the_order_of_reading() -> None:
    two = [change(20, SECOND, THIRD), change(10, FIRST, SECOND)]
    assert spans(two) == {FIRST.key_id: (0, 10), SECOND.key_id: (10, 20), THIRD.key_id: (20, None)}


@pytest.mark.parametrize(
    "forged",
    [
        change(10, STRANGER, SECOND),
        change(10, FIRST, SECOND, origin="duhok"),
        replace(change(10, FIRST, SECOND), by_former=change(10, STRANGER, SECOND).by_former),
        replace(change(10, FIRST, SECOND), by_itself=change(10, FIRST, THIRD).by_itself),
        replace(change(10, FIRST, SECOND), key=STRANGER.verify_key),
        change(10, FIRST, FIRST),
    ],
)
def test_a_change_that_its_keys_did_not_sign_changes_nothing(forged: Rotation) -> None:
    assert spans([forged]) == {FIRST.key_id: (0, None)}


def test_a_key_is_changed_once_and_never_comes_back() -> None:
    changes = [change(10, FIRST, SECOND), change(11, FIRST, THIRD), change(12, SECOND, FIRST)]
    assert spans(changes) == {FIRST.key_id: (0, 10), SECOND.key_id: (10, None)}


def test_whoever_was_admitted_with_a_new_key_believes_nothing_that_follows_from_the_old() -> None:
    assert spans([change(10, FIRST, SECOND)], begun=THIRD) == {THIRD.key_id: (0, None)}


RING: message.Ring = {
    each.key.key_id: each
    for each in rotation.follow("ninewa", [KnownKey("ninewa", FIRST.verify_key)], [change(10, FIRST, SECOND)])
}


def batch(start: int, end: int) -> Batch:
    return Batch("ninewa", 1, Position(start, bytes(32)), Position(end, bytes(32)), end - start, "zstd", b"x")


def hello(number: int) -> Hello:
    return Hello("ninewa", 1, 1, "boot", Position(number, bytes(32)), "test")


@pytest.mark.parametrize(("key", "start", "end"), [(FIRST, 0, 10), (FIRST, 3, 9), (SECOND, 10, 11), (SECOND, 15, 40)])
def test_a_batch_is_opened_with_the_key_of_its_numbers(key: SigningKey, start: int, end: int) -> None:
    assert open_message(*sign(batch(start, end), key), RING).message == batch(start, end)


@pytest.mark.parametrize(("key", "start", "end"), [(FIRST, 9, 11), (FIRST, 10, 11), (SECOND, 9, 12), (SECOND, 0, 10)])
def test_with_another_key_it_is_nobodys(key: SigningKey, start: int, end: int) -> None:
    with pytest.raises(NotSigned) as refused:
        open_message(*sign(batch(start, end), key), RING)
    assert refused.value.signer is None


def test_the_former_key_says_nothing_any_more() -> None:
    assert open_message(*sign(hello(12), SECOND), RING).message == hello(12)
    with pytest.raises(FormerKey) as passed_over:
        open_message(*sign(hello(12), FIRST), RING)
    assert isinstance(passed_over.value, UnknownKind)


def test_a_batch_ends_with_the_entry_that_changes_a_key() -> None:
    fact = rotation.rotated("ninewa", FIRST, SECOND, at=AT)
    other = Fact(canonical({"id": "1", "type": "case.opened.v1", "subject": "1", "version": 1}), b"{}", b"{}")

    def turns_at(*facts: Fact, restricted: bool = False) -> int:
        origin = Origin().write_all([replace(one, restricted=restricted) for one in facts])
        clearance = Clearance.STATISTICAL if restricted else Clearance.OPERATIONAL
        return Opened(origin.batch(clearance, HOME, 0, len(facts)), dialect="sqlite").turns_at

    assert [turns_at(*facts) for facts in ((other, fact), (fact, other), (other, other))] == [2, 1, 0]
    assert turns_at(fact, restricted=True) == 0  # withheld: nothing is known of it


KEYS = OwnKeys(((0, FIRST), (10, SECOND), (20, THIRD)))


def test_a_sender_takes_the_key_that_carries_what_follows() -> None:
    assert KEYS.carrying(0) == (0, FIRST, 10)
    assert KEYS.carrying(9) == (0, FIRST, 10)
    assert KEYS.carrying(10) == (10, SECOND, 20)
    assert KEYS.carrying(99) == (20, THIRD, None)


def test_it_speaks_with_the_key_that_the_other_side_knows_and_tries_the_others_when_not_heard() -> None:
    assert KEYS.speaking(0, 0) is FIRST
    assert [KEYS.speaking(12, unheard) for unheard in range(4)] == [SECOND] * 4
    assert {KEYS.speaking(12, unheard).key_id for unheard in range(12)} == {each.key_id for _, each in KEYS.spans}
    assert OwnKeys.of(FIRST).speaking(7, 5) is FIRST
