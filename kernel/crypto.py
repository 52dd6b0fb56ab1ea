"""Keys of a node: Ed25519 signatures (RFC 8032), sealing to one node (HPKE, RFC 9180), keyed hashes of ids.

    sealed = form (0x01, or 0x02) ‖ key id (8 bytes) ‖ encapsulated key (32 bytes) ‖ ciphertext
    opened = len (u32) ‖ content ‖ zeros up to a length of PADDED

HPKE in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; `info` is `jisr/1 sealed`, a zero
byte and the context, the AAD is empty. The context binds what is sealed to its place: ciphertext that is moved to
another fact does not open. The content is padded, because the length of a narrative would tell something of it.

Form 0x02 also proves who sealed it, as HPKE's mode `auth` does, which the library does not have: `info` is
`jisr/1 from`, a zero byte, the secret that X25519 makes of the sender's and the reader's own keys (32 bytes), and the
context. Nobody but these two can make or open it.

A key file holds one line of base64 of the raw key; a private one is readable by its owner only.
"""

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path
from struct import Struct

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from kernel.errors import BadInput, SettingsError, TooLarge

KEY_BYTES = 32
KEY_ID_BYTES = 8
SEALED_FORM = b"\x01"
FROM_FORM = b"\x02"
SEALED_INFO = b"jisr/1 sealed\0"
FROM_INFO = b"jisr/1 from\0"
PADDED = (1024, 4096, 16_384, 65_536, 131_072, 196_608, 262_016)
MAX_CONTENT_BYTES = PADDED[-1] - 4  # with what sealing adds it is below the 256 KiB that a fact may carry sealed

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_u32 = Struct(">I")


class CannotOpen(BadInput):
    """What is sealed here was sealed to another key, by somebody else, for another place, or was changed."""

    code = "cannot_open"


class VerifyKey:
    """The public half: checks signatures. `key_id` is the first 16 hex digits of the SHA-256 of the raw key."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.key_id = hashlib.sha256(raw).hexdigest()[:16]
        self.public_key = Ed25519PublicKey.from_public_bytes(raw)

    def verify(self, body: bytes, signature: bytes) -> bool:
        """Whether `signature` (64 bytes) was made over exactly `body` by the private half."""
        try:
            self.public_key.verify(signature, body)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def load(cls, path: Path) -> "VerifyKey":
        """The key in a `.pub` file. Raises `SettingsError` naming the file."""
        return cls(_read(path))

    def save(self, path: Path) -> None:
        """Write the key for others to read."""
        _write(path, self.raw, mode=0o644)


class SigningKey:
    """The private half: signs."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.private_key = Ed25519PrivateKey.from_private_bytes(raw)
        self.verify_key = VerifyKey(self.private_key.public_key().public_bytes_raw())
        self.key_id = self.verify_key.key_id

    def sign(self, body: bytes) -> bytes:
        """The Ed25519 signature over exactly `body`, 64 bytes."""
        return self.private_key.sign(body)

    @classmethod
    def new(cls) -> "SigningKey":
        """A fresh key from the system's random source."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """The key in a `.key` file. Raises `SettingsError` naming the file."""
        return cls(_read(path))

    def save(self, path: Path) -> None:
        """Write the key so that only its owner can read it. Never overwrites: a lost identity is lost for good."""
        _write(path, self._raw, mode=0o600)


class SealingKey:
    """The public half of a node's sealing keys: whoever has it can seal something that only that node opens.

    `key_id` is the first 16 hexadecimal digits of the SHA-256 of the raw key.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.key_id = hashlib.sha256(raw).hexdigest()[: 2 * KEY_ID_BYTES]
        self._key = X25519PublicKey.from_public_bytes(raw)

    def seal(self, content: bytes, *, context: bytes, sender: "OpeningKey | None" = None) -> bytes:
        """`content` sealed for this key and this `context`; with `sender`, so that it is proved to be theirs.

        Raises `TooLarge` above `MAX_CONTENT_BYTES`."""
        if len(content) > MAX_CONTENT_BYTES:
            raise TooLarge(f"{len(content)} bytes cannot be sealed; {MAX_CONTENT_BYTES} can.", limit=MAX_CONTENT_BYTES)
        padded = next(size for size in PADDED if size >= len(content) + _u32.size)
        opened = (_u32.pack(len(content)) + content).ljust(padded, b"\0")
        form, info = (SEALED_FORM, SEALED_INFO) if sender is None else (FROM_FORM, FROM_INFO + sender.shared_with(self))
        return form + bytes.fromhex(self.key_id) + _SUITE.encrypt(opened, self._key, info=info + context)

    @classmethod
    def load(cls, path: Path) -> "SealingKey":
        """The key in a `.seal.pub` file. Raises `SettingsError` naming the file."""
        return cls(_read(path))

    def save(self, path: Path) -> None:
        """Write the key for others to read."""
        _write(path, self.raw, mode=0o644)


class OpeningKey:
    """The private half: opens what was sealed to this node."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._key = X25519PrivateKey.from_private_bytes(raw)
        self.sealing_key = SealingKey(self._key.public_key().public_bytes_raw())
        self.key_id = self.sealing_key.key_id

    def open(self, sealed: bytes, *, context: bytes, sender: SealingKey | None = None) -> bytes:
        """What was sealed to this key for this `context`, by `sender` if one is named. Raises `CannotOpen`."""
        if key_id_of(sealed) != self.key_id:
            raise CannotOpen(f"This was sealed to the key {key_id_of(sealed)}; here is {self.key_id}.")
        form, info = (SEALED_FORM, SEALED_INFO) if sender is None else (FROM_FORM, FROM_INFO + self.shared_with(sender))
        if sealed[:1] != form:
            raise CannotOpen("This does not prove who sealed it." if sender else None)
        try:
            opened = _SUITE.decrypt(sealed[1 + KEY_ID_BYTES :], self._key, info=info + context)
        except (InvalidTag, ValueError) as error:
            raise CannotOpen() from error
        (length,) = _u32.unpack_from(opened) if len(opened) >= _u32.size else (len(opened),)
        if _u32.size + length > len(opened):
            raise CannotOpen()
        return opened[_u32.size : _u32.size + length]

    def shared_with(self, other: SealingKey) -> bytes:
        """The secret of these two, 32 bytes: the same whichever of them makes it, and nobody else can.

        Raises `CannotOpen` for a key that is no point of the curve's large group."""
        try:
            return self._key.exchange(X25519PublicKey.from_public_bytes(other.raw))
        except ValueError as error:
            raise CannotOpen() from error

    @classmethod
    def new(cls) -> "OpeningKey":
        """A fresh key from the system's random source."""
        return cls(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> "OpeningKey":
        """The key in a `.key` file. Raises `SettingsError` naming the file."""
        return cls(_read(path))

    def save(self, path: Path) -> None:
        """Write the key so that only its owner can read it. Never overwrites."""
        _write(path, self._raw, mode=0o600)


def context_of(*words: str) -> bytes:
    """A context out of words that hold no NUL: for a sealed part the fact's id, its origin and who opens it."""
    return b"\0".join(word.encode() for word in words)


def key_id_of(sealed: bytes) -> str:
    """The id of the key to which this was sealed. Raises `CannotOpen` for what `seal` never wrote."""
    if sealed[:1] not in (SEALED_FORM, FROM_FORM) or len(sealed) < 1 + KEY_ID_BYTES:
        raise CannotOpen("This was not sealed by any release known here.")
    return sealed[1 : 1 + KEY_ID_BYTES].hex()


def hashed_id(key: bytes, identifier: str) -> str:
    """`identifier` under this node's hash key: HMAC-SHA-256, first 32 hex digits. Names a person to nobody else."""
    return hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()[:32]


def new_hash_key(path: Path) -> bytes:
    """Make and save a node's hash key."""
    return new_secret(path)


def load_hash_key(path: Path) -> bytes:
    """The node's hash key. Raises `SettingsError` naming the file."""
    return load_secret(path)


def new_secret(path: Path) -> bytes:
    """Make and save 32 random bytes that only their owner can read. Never overwrites."""
    raw = os.urandom(KEY_BYTES)
    _write(path, raw, mode=0o600)
    return raw


def save_secret(path: Path, raw: bytes) -> None:
    """Save 32 bytes that only their owner can read. Never overwrites."""
    _write(path, raw, mode=0o600)


def load_secret(path: Path) -> bytes:
    """The 32 bytes in a `.key` file. Raises `SettingsError` naming the file."""
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        raw = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except OSError as error:
        raise SettingsError(f"The key file {path} cannot be read; make keys with: jisr keys new.") from error
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SettingsError(f"The key file {path} is not one line of base64.") from error
    if len(raw) != KEY_BYTES:
        raise SettingsError(f"The key file {path} holds {len(raw)} bytes; a key has {KEY_BYTES}.")
    return raw


def _write(path: Path, raw: bytes, *, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise SettingsError(f"The key file {path} exists; it is never overwritten.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(raw) + b"\n")
        file.flush()
        os.fsync(file.fileno())
