"""Sealing what identifies somebody: each record has a key of its own, and the node's identity key wraps that.

A value is sealed with AES-256-GCM (NIST SP 800-38D) under its record's key, a random nonce of 12 bytes before it, bound
to a context that names the place where it stands: moved to another row, it does not open. A record's key is 32 random
bytes and stands beside the record, wrapped in the same way by the node's identity key. So destroying 60 bytes makes
everything about a person unreadable, and a change of the node's key wraps small keys anew and touches no record.

A record's key seals some hundred values and the node's key wraps one key a record: both stay far below the 2^32 uses
that random nonces allow.

The node's key stands in `identity.key`; the one before it, while it is still needed, in `identity-old.key`.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.crypto import KEY_BYTES, load_secret, new_secret
from kernel.errors import Internal

IDENTITY_KEY = "identity.key"
FORMER_KEY = "identity-old.key"
NONCE_BYTES = 12


class NotUnsealed(Internal):
    """What is sealed here was altered, moved, or sealed under a key that this node does not have."""

    code = "not_unsealed"


class Wrapped(NamedTuple):
    """A record's key as it stands beside the record."""

    key_id: str
    sealed: bytes


def seal(key: bytes, value: bytes, context: str) -> bytes:
    """`value` under `key`, bound to `context`: 28 bytes longer."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """What `seal` sealed. Raises `NotUnsealed`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise NotUnsealed from error


class Vault:
    """The node's identity keys. Read when first needed, and again when a key is asked for that was not there."""

    def __init__(self, read: Callable[[], Sequence[bytes]]) -> None:
        """`read`: the raw keys, the present one first."""
        self._read = read
        self._keys: dict[str, bytes] = {}
        self._present = ""

    @classmethod
    def at(cls, directory: Path) -> "Vault":
        """The keys in a node's key directory. Nothing is read yet."""
        return cls(lambda: keys_in(directory))

    @property
    def present(self) -> str:
        """The id of the key that wraps now. Raises `SettingsError` without one."""
        if not self._present:
            self.reload()
        return self._present

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The raw keys, the present one first: for another process of this node. Raises `SettingsError`."""
        present = self.present
        return (self._keys[present], *(raw for name, raw in self._keys.items() if name != present))

    def reload(self) -> None:
        """Read the keys again. Raises `SettingsError`."""
        raw = self._read()
        self._keys = {key_id(each): each for each in raw}
        self._present = key_id(raw[0])

    def new_key(self, context: str) -> tuple[bytes, Wrapped]:
        """A fresh key for the record that `context` names, and how it is kept."""
        key = os.urandom(KEY_BYTES)
        return key, self.wrap(key, context)

    def wrap(self, key: bytes, context: str) -> Wrapped:
        """`key` under the node's present key."""
        return Wrapped(self.present, seal(self._keys[self.present], key, context))

    def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """The record's key. Raises `NotUnsealed`."""
        if wrapped.key_id not in self._keys:
            self.reload()
        if wrapped.key_id not in self._keys:
            raise NotUnsealed
        return unseal(self._keys[wrapped.key_id], wrapped.sealed, context)


def key_id(raw: bytes) -> str:
    """What names a key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:16]


def keys_in(directory: Path) -> list[bytes]:
    """The present identity key, and the former one where it is still there. Raises `SettingsError`."""
    former = directory / FORMER_KEY
    return [load_secret(directory / IDENTITY_KEY), *([load_secret(former)] if former.exists() else [])]


def change(directory: Path) -> bool:
    """Put a new identity key in the place of the present one, which is kept as the former. Never is there none.

    False while a former key is there: what it wrapped may not all be wrapped anew yet. Delete it when it is, and when
    no backup that needs it is to be read again.
    """
    present, former, new = directory / IDENTITY_KEY, directory / FORMER_KEY, directory / "identity-new.key"
    if former.exists() and former.read_bytes() != present.read_bytes():
        return False
    new.unlink(missing_ok=True)
    new_secret(new)
    if not former.exists():
        os.link(present, former)
    os.replace(new, present)
    return True
