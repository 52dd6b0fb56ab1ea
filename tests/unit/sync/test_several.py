"""Many entries at once are what each of them is by itself."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.entry import (
    MAX_PART_BYTES,
    SALT_BYTES,
    BadEntry,
    Full,
    Shown,
    Statistical,
    Withheld,
    encode,
    read_wire,
)
from services.sync.several import Several, several

SALT = bytes(range(SALT_BYTES))
SALT64 = b64encode(SALT)

parts = st.sampled_from([b"{}", b'{"a":1}', b'{"a": "\xd8\xac"}', b'{"a":{"b":[1,2]}}'])
absent = st.just(b"")
salts = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)
digests = st.binary(min_size=32, max_size=32)
usual = st.builds(Full, parts, parts, salts, parts, st.binary(max_size=40))
in_part = st.builds(Full, parts, parts | absent, salts, absent, st.binary(min_size=1, max_size=40))
nothing_hidden = st.builds(Full, parts, parts | absent, absent, absent, absent)
statistical = st.builds(Statistical, parts, parts | absent, digests)
withheld = st.builds(Withheld, digests)


def of_each(shown: list[Shown]) -> Several:
    return Several(shown, [one.leaf for one in shown], [encode([one]) for one in shown])


@given(st.lists(usual | in_part | nothing_hidden | statistical | withheld, min_size=1, max_size=40))
def test_several_entries_are_what_each_is(shown: list[Shown]) -> None:
    assert several(read_wire(encode(shown))) == of_each(shown)


@given(st.lists(usual, min_size=1, max_size=40), st.data())
def test_the_rest_of_several_is_what_each_of_them_is(shown: list[Shown], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(shown)))
    assert several(read_wire(encode(shown))).without(count) == of_each(shown[count:])


def test_the_largest_parts_go_through() -> None:
    large = b'{"o":"' + b"x" * (MAX_PART_BYTES - 8) + b'"}'
    shown: list[Shown] = [Full(b'{"id":"1"}', large, SALT, large, bytes(MAX_PART_BYTES))]
    assert len(large) == MAX_PART_BYTES
    assert several(read_wire(encode(shown))) == of_each(shown)


@pytest.mark.parametrize("among", [0, 1, 2])
@pytest.mark.parametrize(
    "part", [b"[]", b"1", b'"{}"', b"true", b'{"o":"' + b"x" * (MAX_PART_BYTES - 7) + b'"}'], ids=lambda part: part[:6]
)
@pytest.mark.parametrize("name", ["head", "statistical", "operational"])
def test_a_part_that_cannot_be_is_refused_wherever_it_stands(name: str, part: bytes, among: int) -> None:
    named = {"head": b"{}", "statistical": b"{}", "operational": b"{}"} | {name: part}
    bad = b'["full",' + b",".join(
        (named["head"], named["statistical"], b'"' + SALT64 + b'"', named["operational"], b'""]')
    )
    listed = [encode([Full(b"{}", b"{}", SALT, b"{}", b"")])[1:-1]] * 2
    listed.insert(among, bad)
    with pytest.raises(BadEntry, match="neither null nor a JSON object"):
        several(read_wire(b"[" + b",".join(listed) + b"]"))


@pytest.mark.parametrize("salt", [SALT[1:], SALT + b"\0", b""])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    good, bad = Full(b"{}", b"{}", SALT, b"{}", b""), Full(b"{}", b"{}", salt, b"{}", b"")
    with pytest.raises(BadEntry, match="salt"):
        several(read_wire(encode([good, bad, good])))
