"""Arbitrary bytes, in all the depths to which they can get: only our own errors come out."""

from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from services.sync import message
from services.sync.message import KEY_HEADER, SIGNATURE_HEADER, BadMessage, Batch, Hello, Opened, open_message, sign
from services.sync.position import Position, start
from services.sync.replica import Refuse, begin
from tests.replication.in_memory import KEYS, RING, Origin, json_values, judge

KEY = KEYS["ninewa"]
anything = st.none() | st.booleans() | st.integers() | st.text(max_size=200) | st.binary(max_size=100)
amqp_headers = st.none() | st.dictionaries(st.sampled_from([KEY_HEADER, SIGNATURE_HEADER, "x-death"]), anything)
numbers = st.sampled_from([0, 1, 2, 2**31, 2**63 - 1, 2**63, 2**64, -1, 1.5])
places = st.fixed_dictionaries({"number": numbers, "digest": st.sampled_from(["00" * 32, "zz", "00" * 32 + "\n"])})
fields: dict[str, st.SearchStrategy[Any]] = {
    "protocol": st.sampled_from(["jisr/1.0", "jisr/1.7", "jisr/2.0", "jisr/0.1", "jisr/1", "jisr/1.0\n", "", 1]),
    "kind": st.sampled_from(["hello", "held", "batch", "witness", None]),
    "origin": st.sampled_from(["ninewa", "anbar", "", "Ninewa", "نينوى", 3]),
    "epoch": numbers,
    "session": numbers,
    "boot": st.text(max_size=70),
    "head": places,
    "held": places,
    "start": places,
    "end": places,
    "software": st.text(max_size=70),
    "window": numbers,
    "state": st.text(max_size=70),
    "reason": st.text(max_size=500),
    "count": numbers,
    "encoding": st.sampled_from(["zstd", "gzip", "", None]),
    "new": json_values,
}
headers_of_messages = st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields)


def signed(body: bytes) -> tuple[bytes, dict[str, str]]:
    return body, {KEY_HEADER: KEY.key_id, SIGNATURE_HEADER: KEY.sign(body).hex()}


def framed(header: bytes, payload: bytes = b"") -> bytes:
    return len(header).to_bytes(4, "big") + header + payload


def opened(body: bytes, headers: Any) -> Opened | None:
    """The message, or None if it was refused as it should be; any other error fails the test."""
    try:
        return open_message(body, headers, RING)
    except BadMessage:
        return None


@given(st.binary(max_size=200), amqp_headers)
def test_unsigned_bytes_are_refused(body: bytes, headers: Any) -> None:
    assert opened(body, headers) is None


@given(st.binary(max_size=200))
def test_signed_bytes_that_are_no_message_are_refused(body: bytes) -> None:
    assert opened(*signed(body)) is None


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_signed_frames_with_arbitrary_headers_are_refused(header: bytes, payload: bytes) -> None:
    assert opened(*signed(framed(header, payload))) is None


@given(headers_of_messages, st.binary(max_size=20))
def test_signed_headers_with_arbitrary_fields_are_opened_or_refused(header: dict[str, Any], payload: bytes) -> None:
    found = opened(*signed(framed(msgspec.json.encode(header), payload)))
    assert found is None or found.signer == "ninewa"


@given(st.binary(max_size=200) | st.binary(max_size=200).map(zstandard.ZstdCompressor().compress))
def test_signed_batches_with_arbitrary_payloads_are_refused(payload: bytes) -> None:
    end = Position(1, bytes(32))
    batch = Batch("ninewa", 1, start("ninewa", 1), end, 1, message.ZSTD, payload)
    assert isinstance(judge(begin("ninewa", 1), batch), Refuse)


@given(json_values, st.integers(1, 3))
def test_signed_batches_of_arbitrary_json_are_refused(value: Any, count: int) -> None:
    payload = zstandard.ZstdCompressor().compress(msgspec.json.encode([value] * count))
    batch = Batch("ninewa", 1, start("ninewa", 1), Position(count, bytes(32)), count, message.ZSTD, payload)
    assert isinstance(judge(begin("ninewa", 1), batch), Refuse)


def test_a_bomb_is_not_opened() -> None:
    """A gigabyte of zeros is 32 KiB of zstd: refused by the size it states, and by the bound if it states
    none.
    """
    stated = zstandard.ZstdCompressor(level=19).compress(bytes(message.MAX_PAYLOAD + 1))
    stream = zstandard.ZstdCompressor().compressobj()
    unstated = stream.compress(bytes(message.MAX_PAYLOAD + 1)) + stream.flush()
    for payload in (stated, unstated):
        batch = Batch("ninewa", 1, start("ninewa", 1), Position(1, bytes(32)), 1, message.ZSTD, payload)
        assert len(payload) < 100_000
        with pytest.raises(BadMessage):
            batch.entries()


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    payload = zstandard.ZstdCompressor().compress(b'[["full",' + deep + b"]]")
    batch = Batch("ninewa", 1, start("ninewa", 1), Position(1, bytes(32)), 1, message.ZSTD, payload)
    assert isinstance(judge(begin("ninewa", 1), batch), Refuse)
    assert (
        opened(*signed(framed(b'{"protocol":"jisr/1.0","kind":"hello","new":' + b"[" * 2000 + b"]" * 2000 + b"}")))
        is None
    )


def test_nobody_speaks_in_the_name_of_another() -> None:
    hello = Hello("anbar", 1, 1, "boot", Origin("anbar").head, "test")
    body, headers = sign(hello, KEY)
    with pytest.raises(BadMessage, match="ninewa signed a hello in the name of anbar") as refused:
        open_message(body, headers, RING)
    assert refused.value.signer == "ninewa"
