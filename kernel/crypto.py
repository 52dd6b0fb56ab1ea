"""Keys of a node: Ed25519 signatures (RFC 8032) and keyed hashes of ids.

A key file holds one line of base64 of the raw key and is readable by its owner only.
"""

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kernel.errors import SettingsError

KEY_BYTES = 32


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


def hashed_id(key: bytes, identifier: str) -> str:
    """`identifier` under this node's hash key: HMAC-SHA-256, first 32 hex digits. Names a person to nobody else."""
    return hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()[:32]


def new_hash_key(path: Path) -> bytes:
    """Make and save a node's hash key."""
    raw = os.urandom(KEY_BYTES)
    _write(path, raw, mode=0o600)
    return raw


def load_hash_key(path: Path) -> bytes:
    """The node's hash key. Raises `SettingsError` naming the file."""
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
