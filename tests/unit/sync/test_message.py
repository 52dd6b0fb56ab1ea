"""Messages between engines: who signed, what is believed, and in which order it is found out."""

import json
from dataclasses import replace

import msgspec
import pytest
import zstandard

from kernel.crypto import SigningKey
from kernel.fact import Fact
from services.sync import message
from services.sync.disclosure import Clearance
from services.sync.message import (
    KEY_HEADER,
    MAX_BODY,
    MAX_HEADER,
    SIGNATURE_HEADER,
    BadMessage,
    Batch,
    Held,
    Hello,
    NewerProtocol,
    NotSigned,
    UnknownKind,
    open_message,
    pack,
    ring,
    sign,
)
from services.sync.position import start
from tests.replication.in_memory import HOME, KEYS, RING, Origin

ORIGIN = Origin().write_all([Fact(b'{"id":"%d"}' % n, b'{"n":%d}' % n, b'{"o":%d}' % n) for n in range(200)])
HELLO = Hello("ninewa", 1, 7, "boot-7", ORIGIN.head, "jisr 0.1.0")
HELD = Held("ninewa", 1, ORIGIN.positions[3], 2**21, "ok", "")
KEY = KEYS["ninewa"]


def batch(after: int = 0, upto: int = 200, most: int = 1 << 20) -> Batch:
    return ORIGIN.batch(Clearance.OPERATIONAL, HOME, after, upto, most)


def header_of(body: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])
    return found


def with_header(body: bytes, **fields: object) -> tuple[bytes, dict[str, str]]:
    """The same message with some header fields changed, signed again by the origin."""
    length = int.from_bytes(body[:4], "big")
    header = msgspec.json.encode({**header_of(body), **fields})
    return signed(len(header).to_bytes(4, "big") + header + body[4 + length :])


def signed(body: bytes, key: SigningKey = KEY) -> tuple[bytes, dict[str, str]]:
    return body, {KEY_HEADER: key.key_id, SIGNATURE_HEADER: key.sign(body).hex()}


# --- round trips


@pytest.mark.parametrize("said", [HELLO, batch(), batch(5, 6)])
def test_what_the_origin_says_arrives_as_it_was_said(said: Hello | Batch) -> None:
    opened = open_message(*sign(said, KEY), RING)
    assert opened.message == said
    assert opened.signer == "ninewa"


def test_a_receiver_speaks_about_an_origin_in_its_own_name() -> None:
    opened = open_message(*sign(HELD, KEYS[HOME]), RING)
    assert opened.message == HELD
    assert opened.signer == HOME


def test_the_entries_of_a_batch_come_out_in_order() -> None:
    opened = open_message(*sign(batch(10, 90), KEY), RING).message
    assert isinstance(opened, Batch)
    assert opened.entries() == ORIGIN.shown(Clearance.OPERATIONAL, HOME, 10, 90)


def test_unknown_header_fields_are_ignored_and_a_higher_minor_version_understood() -> None:
    body, _ = sign(HELLO, KEY)
    assert open_message(*with_header(body, mood="good", protocol="jisr/1.9"), RING).message == HELLO


def test_a_long_reason_is_cut_to_what_is_accepted() -> None:
    opened = open_message(*sign(replace(HELD, reason="x" * 1000), KEY), RING).message
    assert isinstance(opened, Held)
    assert opened.reason == "x" * message.MAX_REASON


def test_a_node_may_have_two_keys_while_they_are_changed() -> None:
    new = SigningKey.new()
    keys = ring({"ninewa": [KEY.verify_key, new.verify_key]})
    for key in (KEY, new):
        assert open_message(*sign(HELLO, key), keys).signer == "ninewa"


# --- refused before anything is read


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {KEY_HEADER: KEY.key_id},
        {SIGNATURE_HEADER: "00" * 64},
        {KEY_HEADER: KEY.key_id, SIGNATURE_HEADER: b"\0" * 64},
        {KEY_HEADER: 7, SIGNATURE_HEADER: "00" * 64},
        {KEY_HEADER: KEY.key_id, SIGNATURE_HEADER: "00" * 64},
        {KEY_HEADER: KEY.key_id, SIGNATURE_HEADER: "00" * 63},
        {KEY_HEADER: "0" * 16, SIGNATURE_HEADER: "00" * 64},
    ],
)
def test_what_nobody_signed_is_nobodys_doing(headers: dict[str, object] | None) -> None:
    body, _ = sign(HELLO, KEY)
    with pytest.raises(NotSigned) as refused:
        open_message(body, headers, RING)
    assert refused.value.signer is None


def test_a_signature_in_capitals_is_not_ours() -> None:
    body, headers = sign(HELLO, KEY)
    with pytest.raises(NotSigned):
        open_message(body, {**headers, SIGNATURE_HEADER: headers[SIGNATURE_HEADER].upper()}, RING)


def test_a_strangers_signature_is_refused() -> None:
    with pytest.raises(NotSigned):
        open_message(*sign(HELLO, SigningKey.new()), RING)


def test_what_is_too_large_is_refused_before_its_signature_is_checked() -> None:
    body = bytes(MAX_BODY + 1)
    with pytest.raises(NotSigned, match="are accepted"):
        open_message(*signed(body), RING)


# --- refused, and the signer answers for it


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0",
        b"\0\0\0\5{}",
        (MAX_HEADER + 1).to_bytes(4, "big") + bytes(MAX_HEADER + 1),
        b"\xff\xff\xff\xff{}",
        b"\0\0\0\2{}",
        b"\0\0\0\2[]",
        b"\0\0\0\0",
    ],
)
def test_a_signed_body_that_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        open_message(*signed(body), RING)
    assert refused.value.signer == "ninewa"


@pytest.mark.parametrize(
    "fields",
    [
        {"protocol": "jisr/0.9"},
        {"protocol": "other/1.0"},
        {"protocol": "jisr/1"},
        {"origin": "anbar"},
        {"origin": "../ninewa"},
        {"origin": "ninewa\n"},
        {"epoch": 0},
        {"epoch": "1"},
        {"start": {"number": -1, "digest": "00" * 32}},
        {"start": {"number": 0, "digest": "00" * 31}},
        {"start": {"number": 0, "digest": "00" * 32 + "\n"}},
        {"end": {"number": 2**63, "digest": "00" * 32}},
        {"count": 0},
        {"count": 199},
        {"count": 10**9},
        {"encoding": "gzip"},
    ],
)
def test_a_batch_with_a_header_that_cannot_be_is_refused(fields: dict[str, object]) -> None:
    body, _ = sign(batch(), KEY)
    with pytest.raises(BadMessage) as refused:
        open_message(*with_header(body, **fields), RING)
    assert refused.value.signer == "ninewa"


def test_something_after_a_hello_is_refused() -> None:
    body, _ = sign(HELLO, KEY)
    with pytest.raises(BadMessage, match="follows"):
        open_message(*signed(body + b"\0"), RING)


def test_a_newer_protocol_is_refused_with_what_to_do() -> None:
    body, _ = sign(HELLO, KEY)
    with pytest.raises(NewerProtocol, match=r"jisr/2\.0.*jisr/1\.0.*Upgrade"):
        open_message(*with_header(body, protocol="jisr/2.0", origin={"quite": "different"}), RING)


def test_a_kind_of_a_later_minor_version_is_told_apart() -> None:
    body, _ = sign(HELLO, KEY)
    with pytest.raises(UnknownKind, match="marvel"):
        open_message(*with_header(body, kind="marvel"), RING)


# --- payloads


def frame(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not zstd",
        frame(b""),
        frame(b"[]"),
        frame(b"[") + b"\0",
        batch().payload + b"\0",
        batch().payload + frame(b"[]"),
        batch().payload[:-1],
        batch().payload[:20],
        zstandard.ZstdCompressor(write_content_size=False).compress(b"[]"),
    ],
)
def test_a_payload_that_is_not_one_frame_of_entries_is_refused(payload: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        replace(batch(), payload=payload).entries()
    assert refused.value.signer == "ninewa"


def test_a_batch_that_counts_otherwise_than_it_holds_is_refused() -> None:
    with pytest.raises(BadMessage, match="holds 200"):
        replace(batch(), count=199).entries()


# --- packing


@pytest.mark.parametrize("most", [1, 600, 1000, 3000, 1 << 20])
def test_a_batch_takes_as_many_entries_as_fit_with_their_header(most: int) -> None:
    packed = batch(most=most)
    body, _ = sign(packed, KEY)
    assert len(body) <= most or packed.count == 1
    assert packed.end == ORIGIN.positions[packed.count]
    assert packed.entries() == ORIGIN.shown(Clearance.OPERATIONAL, HOME, 0, packed.count)


def test_room_is_used_and_not_left() -> None:
    full = len(batch().payload)
    half = batch(most=full // 2 + message.HEADER_ROOM)
    assert half.count > 60


def test_one_large_entry_is_sent_alone() -> None:
    large = Fact(b'{"id":"1"}', b"{}", b"", sealed=b"".join(KEY.sign(b"%d" % n) for n in range(500)))
    origin = Origin().write_all([large, large])
    packed = origin.batch(Clearance.OPERATIONAL, HOME, 0, 2, most=1000)
    assert packed.count == 1
    assert len(packed.payload) > 30_000


def test_nothing_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="one entry"):
        pack("ninewa", 1, start("ninewa", 1), [], [], 1000)


def test_the_largest_entry_that_is_recorded_fits_in_a_message() -> None:
    part = b'{"a":"' + b"".join(KEY.sign(b"%d" % n).hex().encode() for n in range(2000))[: 256 * 1024 - 8] + b'"}'
    noise = b"".join(KEY.sign(b"%d" % n) for n in range(4096))
    origin = Origin().write_all([Fact(part, part, part, sealed=noise)])
    body, _ = sign(origin.batch(Clearance.OPERATIONAL, HOME, 0, 1, most=1), KEY)
    assert len(body) < MAX_BODY
