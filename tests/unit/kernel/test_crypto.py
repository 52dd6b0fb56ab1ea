"""What is sealed to one key opens with that key, at its place, unchanged, and with nothing else."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from kernel.crypto import (
    FROM_INFO,
    MAX_CONTENT_BYTES,
    PADDED,
    SEALED_INFO,
    CannotOpen,
    OpeningKey,
    SealingKey,
    context_of,
    key_id_of,
)
from kernel.errors import TooLarge
from kernel.fact import MAX_SEALED_BYTES

KEY = OpeningKey(bytes(range(32)))
HERE = context_of("01a1", "ninewa", "duhok")


@given(st.binary(max_size=3000))
def test_the_key_it_was_sealed_to_opens_it(content: bytes) -> None:
    assert KEY.open(KEY.sealing_key.seal(content, context=HERE), context=HERE) == content


def test_another_key_another_place_or_another_byte_do_not() -> None:
    sealed = KEY.sealing_key.seal(b"narrative", context=HERE)
    with pytest.raises(CannotOpen, match=f"sealed to the key {KEY.key_id}"):
        OpeningKey.new().open(sealed, context=HERE)
    for broken in (sealed[:-1], sealed[:20], sealed + b"x", sealed[:60] + bytes([sealed[60] ^ 1]) + sealed[61:]):
        with pytest.raises(CannotOpen):
            KEY.open(broken, context=HERE)
    for elsewhere in (b"", context_of("01a2", "ninewa", "duhok"), context_of("01a1", "ninewa", "anbar")):
        with pytest.raises(CannotOpen):
            KEY.open(sealed, context=elsewhere)


@given(st.binary(max_size=100))
def test_no_other_bytes_are_taken_for_something_sealed(raw: bytes) -> None:
    with pytest.raises(CannotOpen):
        KEY.open(raw, context=HERE)


def test_whoever_sealed_it_is_proved_to_the_reader_and_by_the_reader_to_nobody() -> None:
    ninewa, baghdad = OpeningKey.new(), OpeningKey.new()
    letter = KEY.sealing_key.seal(b"yes", context=HERE, sender=ninewa)
    assert KEY.open(letter, context=HERE, sender=ninewa.sealing_key) == b"yes"
    forged = [
        KEY.sealing_key.seal(b"yes", context=HERE, sender=baghdad),
        KEY.sealing_key.seal(b"yes", context=HERE),
        b"\2" + KEY.sealing_key.seal(b"yes", context=HERE)[1:],
    ]
    for sealed in forged:
        with pytest.raises(CannotOpen):
            KEY.open(sealed, context=HERE, sender=ninewa.sealing_key)
    for elsewhere in (b"", context_of("01a1", "ninewa", "anbar")):
        with pytest.raises(CannotOpen):
            KEY.open(letter, context=elsewhere, sender=ninewa.sealing_key)
    with pytest.raises(CannotOpen):
        KEY.open(letter, context=HERE)


def test_no_key_of_a_small_group_is_shared_with() -> None:
    with pytest.raises(CannotOpen):
        KEY.shared_with(SealingKey(bytes(32)))


def test_its_length_tells_only_a_step_of_a_ladder() -> None:
    lengths = {len(KEY.sealing_key.seal(bytes(size), context=b"")) for size in range(0, 1020, 60)}
    assert lengths == {1 + 8 + 32 + PADDED[0] + 16}


def test_the_largest_content_fits_into_a_fact_and_one_more_byte_is_refused() -> None:
    sealed = KEY.sealing_key.seal(bytes(MAX_CONTENT_BYTES), context=HERE)
    assert len(sealed) <= MAX_SEALED_BYTES
    assert KEY.open(sealed, context=HERE) == bytes(MAX_CONTENT_BYTES)
    with pytest.raises(TooLarge):
        KEY.sealing_key.seal(bytes(MAX_CONTENT_BYTES + 1), context=HERE)


def test_it_is_the_standard_construction() -> None:
    sealed = KEY.sealing_key.seal(b"abc", context=HERE)
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    key = X25519PrivateKey.from_private_bytes(bytes(range(32)))
    opened = suite.decrypt(sealed[9:], key, info=SEALED_INFO + HERE)
    assert opened == (b"\0\0\0\3abc").ljust(PADDED[0], b"\0")
    assert (sealed[:1], key_id_of(sealed)) == (b"\1", KEY.key_id)
    sender = X25519PrivateKey.from_private_bytes(bytes(32 * [7]))
    letter = KEY.sealing_key.seal(b"abc", context=HERE, sender=OpeningKey(bytes(32 * [7])))
    shared = key.exchange(sender.public_key())
    assert suite.decrypt(letter[9:], key, info=FROM_INFO + shared + HERE) == opened
    assert (letter[:1], key_id_of(letter)) == (b"\2", KEY.key_id)


def test_a_key_is_kept_in_a_file_of_its_own(tmp_path: Path) -> None:
    KEY.save(tmp_path / "seal.key")
    KEY.sealing_key.save(tmp_path / "seal.pub")
    assert (tmp_path / "seal.key").stat().st_mode & 0o777 == 0o600
    sealed = SealingKey.load(tmp_path / "seal.pub").seal(b"x", context=b"")
    assert OpeningKey.load(tmp_path / "seal.key").open(sealed, context=b"") == b"x"
