"""What may become an entry, and what may not even if it is signed."""

import json
from dataclasses import dataclass, replace

import pytest

from kernel.fact import MAX_DEPTH
from services.sync.entry import (
    MAX_ENTRIES,
    MAX_PART_BYTES,
    NOTHING_COMMITTED,
    BadEntry,
    Full,
    Shown,
    Statistical,
    Withheld,
    audience,
    commitment,
    decode,
    decode_one,
    encode,
    encode_one,
    keep,
    leaves,
    read_wire,
    record,
)

SALT = bytes(range(16))
SALT64 = "AAECAwQFBgcICQoLDA0ODw=="


@dataclass(frozen=True)
class Parts:
    head: bytes = b'{"id":"1"}'
    statistical: bytes = b"{}"
    operational: bytes = b'{"o":1}'
    sealed: bytes = b""
    restricted: bool = False


def wire(*values: object) -> bytes:
    return json.dumps([list(values)]).encode()


# --- what is recorded


def test_the_exact_bytes_are_kept() -> None:
    odd = '{ "b" : 1.50,\t"a":"\\u0645\u0645" }'.encode()
    entry = record(7, Parts(statistical=odd), SALT)
    assert (entry.number, entry.statistical, entry.salt) == (7, odd, SALT)


def test_a_salt_that_would_hide_nothing_is_dropped() -> None:
    entry = record(1, Parts(operational=b""), SALT)
    assert entry.salt == b""
    assert commitment(entry.salt, entry.operational, entry.sealed) == NOTHING_COMMITTED


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(17)])
def test_what_is_hidden_needs_a_whole_salt(salt: bytes) -> None:
    with pytest.raises(BadEntry, match="16 bytes"):
        record(1, Parts(), salt)


DEEPEST = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"


@pytest.mark.parametrize(
    "part",
    [
        b"null",
        b"[]",
        b'"text"',
        b" {}",
        b"{}\n",
        b"{},{}",
        b"{}{}",
        b"{",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":"\x01"}',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":' + DEEPEST + b"}",
        b'{"a":"' + b"x" * MAX_PART_BYTES + b'"}',
    ],
)
@pytest.mark.parametrize("name", ["head", "statistical", "operational"])
def test_what_could_not_be_carried_is_not_recorded(name: str, part: bytes) -> None:
    with pytest.raises(BadEntry, match=name):
        record(1, replace(Parts(), **{name: part}), SALT)  # type: ignore[arg-type]  # the name varies


def test_what_is_just_within_the_bounds_is_recorded_and_carried() -> None:
    large = b'{"a":"' + b"x" * (MAX_PART_BYTES - 8) + b'"}'
    entry = record(1, Parts(statistical=large, operational=DEEPEST, sealed=bytes(MAX_PART_BYTES)), SALT)
    full = Full(entry.head, entry.statistical, entry.salt, entry.operational, entry.sealed)
    assert decode(encode([full])) == [full]


@pytest.mark.parametrize("named", [b"null", b'"duhok"', b"[1]", b"{}"])
def test_an_audience_that_no_link_could_read_is_not_recorded(named: bytes) -> None:
    with pytest.raises(BadEntry, match="audience"):
        record(1, Parts(head=b'{"audience":' + named + b"}"), SALT)


def test_an_entry_needs_a_head() -> None:
    with pytest.raises(BadEntry, match="no head"):
        record(1, Parts(head=b""), SALT)


def test_a_sealed_part_has_a_bound() -> None:
    with pytest.raises(BadEntry, match="sealed"):
        record(1, Parts(sealed=bytes(MAX_PART_BYTES + 1)), SALT)


# --- what is read


def test_all_forms_go_and_come_back() -> None:
    shown: list[Shown] = [
        Full(b'{"id": "1"}', b"", SALT, b'{ "o":1 }', b"\0\xff"),
        Full(b'{"id":"2"}', b"{}", b"", b"", b""),
        Full(b'{"id":"3"}', b"{}", SALT, b"", b"\1"),
        Statistical(b'{"id":"4"}', b'{"n":1e3}', bytes(32)),
        Statistical(b'{"id":"5"}', b"", bytes(range(32))),
        Withheld(bytes(range(32))),
    ]
    assert decode(encode(shown)) == shown
    assert [decode_one(encode_one(one)) for one in shown] == shown


def test_entries_whose_parts_were_not_read_have_the_leaves_of_those_that_were_and_are_kept_as_they_came() -> None:
    large = b'{"o":"' + b"x" * (MAX_PART_BYTES - 8) + b'"}'
    shown: list[Shown] = [
        Full(b'{"id":"1"}', b"{}", SALT, b'{"o":1}', b"\0\xff"),
        Full(b'{"id":"2"}', b"", SALT, b'{"o":2}', b""),
        Full(b'{"id":"3"}', b"{}", SALT, b"", b"\1"),
        Full(b'{"id":"4"}', b"{}", b"", b"", b""),
        Full(b'{"id":"5"}', large, SALT, large, b""),
        Statistical(b'{"id":"6"}', b'{"n":1}', bytes(32)),
        Withheld(bytes(range(32))),
    ]
    wire = read_wire(encode(shown))
    assert leaves(wire) == [one.leaf for one in shown]
    assert [keep(one) for one in wire] == [encode([one]) for one in shown]


@pytest.mark.parametrize("part", [b"[]", b"1", b'"{}"', b"true"])
@pytest.mark.parametrize("name", ["head", "statistical", "operational"])
def test_a_part_that_is_no_object_has_no_leaf(name: str, part: bytes) -> None:
    parts = {"head": b"{}", "statistical": b"{}", "operational": b"{}"} | {name: part}
    listed = b",".join((parts["head"], parts["statistical"], f'"{SALT64}"'.encode(), parts["operational"]))
    with pytest.raises(BadEntry, match="neither null nor a JSON object"):
        leaves(read_wire(b'[["full",' + listed + b',""]]'))


def test_what_is_put_together_by_hand_is_what_the_codec_would_write() -> None:
    full = Full(b'{"id":"1"}', b"", SALT, b'{"o":[1, 2]}', b"\xff" * 5)
    assert (
        encode([full, full])
        == (
            f'[["full",{{"id":"1"}},null,"{SALT64}",{{"o":[1, 2]}},"//////8="],'
            f'["full",{{"id":"1"}},null,"{SALT64}",{{"o":[1, 2]}},"//////8="]]'
        ).encode()
    )
    assert encode([Full(b"{}", b"{}", b"", b"", b"")]) == b'[["full",{},{},"",null,""]]'


def test_space_around_a_part_is_not_part_of_it() -> None:
    (one,) = decode(b'[ ["full" ,  {"a": 1}\n, null ,"" , null,""] ] ')
    assert one == Full(b'{"a": 1}', b"", b"", b"", b"")


def test_repeated_keys_are_carried_as_they_are() -> None:
    """A receiver that sees only the commitment could not refuse them, so no receiver does; folding parks
    the subject.
    """
    shown = [Full(b'{"id":"1","id":"2"}', b"{}", b"", b"", b"")]
    assert decode(encode(shown)) == shown


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"null",
        b"[[]]",
        b"[null]",
        b'[["full"]]',
        b'[["other","AA=="]]',
        b'[["withheld","AA=="]]',
        b'[["withheld",null]]',
        wire("withheld", "A" * 43 + "=", 1),
        wire("statistical", {}, {}, "AA=="),
        wire("statistical", None, {}, "A" * 43 + "="),
        wire("full", None, {}, "", None, ""),
        wire("full", [], {}, "", None, ""),
        wire("full", {}, 1, "", None, ""),
        wire("full", {}, "text", "", None, ""),
        wire("full", {}, {}, "", {"o": 1}, ""),
        wire("full", {}, {}, "AAAA", {"o": 1}, ""),
        wire("full", {}, {}, SALT64, None, ""),
        wire("full", {}, {}, "", None, "AA=="),
        wire("full", {}, {}, None, None, ""),
        wire("full", {}, {}, "", None, "not base64!"),
        wire("full", {}, {}, "", None, "", "more"),
        wire("full", {}, {}, "", None),
        b'[["full",{"a":1,},{},"",null,""]]',
        b'[["full",{"a":"\xff"},{},"",null,""]]',
        b'[["full",{},{},"",null,""]] trailing',
        b'[["full",' + b'{"a":' * 40_000 + b"1" + b"}" * 40_000 + b',{},"",null,""]]',
    ],
)
def test_what_is_no_list_of_entries_is_refused(payload: bytes) -> None:
    with pytest.raises(BadEntry):
        decode(payload)


def test_too_many_entries_are_refused() -> None:
    assert len(decode(encode([Withheld(bytes(32))] * MAX_ENTRIES))) == MAX_ENTRIES
    with pytest.raises(BadEntry, match="accepted"):
        decode(encode([Withheld(bytes(32))] * (MAX_ENTRIES + 1)))


@pytest.mark.parametrize("kept", [b"", b"null", encode([Withheld(bytes(32))]), b"[],[]"])
def test_what_is_kept_is_one_entry(kept: bytes) -> None:
    with pytest.raises(BadEntry):
        decode_one(kept)


def test_parts_cannot_be_moved_into_each_other() -> None:
    """Lengths stand before the parts, so no two different entries hash the same bytes."""
    assert Full(b'{"a":1}', b"{}", b"", b"", b"").leaf != Full(b'{"a":1}{}', b"", b"", b"", b"").leaf
    assert commitment(SALT, b"{}", b"\1") != commitment(SALT, b"{}\1", b"")
    assert commitment(SALT, b"", b"\1") != commitment(SALT, b"\1", b"")


def test_the_audience_is_read_from_the_head() -> None:
    assert audience(b'{"id":"1","audience":["duhok"],"type":"x"}') == ["duhok"]
    assert audience(b'{"id":"1"}') == []
