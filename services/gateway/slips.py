"""Receipts as they are handed over, and how they are hashed.

A receipt is made here and nowhere kept: sixteen digits, the last a check digit (Damm's: every single wrong digit and
every swap of two neighbours is noticed before anything is asked), and sixteen signs of proof. Both follow by HMAC from
the request and its Idempotency-Key, where one was sent: an answer that was lost can be asked for again, the receipt is
the same, and no list of answers holds it. The case service is given Argon2id of the digits, with the node's hash key in
the salt, and the SHA-256 of the proof.

Guessing: 10^15 receipts, one hash of some 50 ms each, one at a time in the whole node, and each address waits longer
after every ten that were wrong. An unknown receipt costs exactly what a known one does."""

import hashlib
import hmac
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Final

from argon2.low_level import Type, hash_secret_raw
from stdnum import damm

from contracts.case import receipts as contract
from kernel.errors import BadInput, Unavailable
from services.gateway.throttle import Throttle

TRIES: Final = 10  # wrong receipts from one address: a person who mistypes, a help desk on a bad day
REPORTS: Final = 10  # reports from one address in a row; a village may share one
MEMORY_KIB: Final = 32 * 1024
ROUNDS: Final = 3
PATIENCE_SECONDS: Final = 5.0


class MistypedReceipt(BadInput):
    """One of these digits is wrong, or two are swapped; look at the receipt again."""

    code = "mistyped_receipt"


class ReceiptsBusy(Unavailable):
    """Many people are asking at this moment; try again."""

    code = "receipts_busy"


@dataclass(frozen=True)
class Slip:
    """A receipt as it is handed over."""

    digits: str
    proof: str

    @classmethod
    def of(cls, key: bytes, seed: bytes) -> "Slip":
        """The slip that follows from `seed` under the node's key."""
        number = int.from_bytes(hmac.digest(key, b"receipt/1\0" + seed, hashlib.sha256)) % 10**15
        body = f"{number:015d}"
        digits = body + str(damm.calc_check_digit(body))
        bits = int.from_bytes(hmac.digest(key, b"proof/1\0" + digits.encode(), hashlib.sha256)[:10])
        signs = (contract.SIGNS[bits >> 5 * place & 31] for place in reversed(range(contract.PROOF_SIGNS)))
        return cls(digits, "".join(signs))

    @property
    def commitment(self) -> str:
        """What the journal keeps of the proof."""
        return hashlib.sha256(self.proof.encode()).hexdigest()

    def shown(self) -> dict[str, str]:
        return {"receipt": " ".join(_fours(self.digits)), "proof": "-".join(_fours(self.proof))}


def _fours(text: str) -> list[str]:
    return [text[at : at + 4] for at in range(0, len(text), 4)]


@dataclass(frozen=True)
class Receipts:
    """Hashes receipts, one at a time, and slows down who guesses or floods."""

    key: bytes = field(repr=False)
    tries: Throttle = field(default_factory=lambda: Throttle(TRIES))
    reports: Throttle = field(default_factory=lambda: Throttle(REPORTS))
    turn: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(1))

    def hashed(self, digits: str) -> str:
        """The slow hash of a receipt, hexadecimal. Raises `ReceiptsBusy`."""
        salt = hmac.digest(self.key, b"receipt salt/1", hashlib.sha256)[:16]
        if not self.turn.acquire(timeout=PATIENCE_SECONDS):
            raise ReceiptsBusy
        try:
            return hash_secret_raw(digits.encode(), salt, ROUNDS, MEMORY_KIB, 1, 32, Type.ID).hex()
        finally:
            self.turn.release()

    def check(self, digits: str) -> None:
        """Raise `MistypedReceipt` where the check digit says so."""
        if not damm.is_valid(digits):
            raise MistypedReceipt
