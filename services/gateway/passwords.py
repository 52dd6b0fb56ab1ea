"""Passwords: argon2id hashes, few at once, and as slow for an unknown login as for a known one."""

from functools import cached_property
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kernel.errors import Unavailable

AT_ONCE = 2  # one hash takes 64 MiB and about 50 ms of four lanes; two at once bound it to 128 MiB
PATIENCE_SECONDS = 5.0


class LoginsBusy(Unavailable):
    """Many people are logging in at this moment; try again."""

    code = "logins_busy"


class Passwords:
    """Hashes and checks. The parameters are RFC 9106's second recommendation, which argon2-cffi has as default."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        with self._hashing():
            return self._hasher.hash(password)

    def fits(self, hashed: str | None, password: str) -> bool:
        """Whether `password` belongs to `hashed`. None, an unknown login, costs the same time and is False."""
        with self._hashing():
            of_nobody = self._of_nobody  # made by the first check of all, whoever it is of
            try:
                return self._hasher.verify(hashed or of_nobody, password) and hashed is not None
            except (VerificationError, InvalidHashError):
                return False

    @cached_property
    def _of_nobody(self) -> str:
        return self._hasher.hash("the password of nobody")

    def outdated(self, hashed: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _hashing(self) -> "_Turn":
        return _Turn(self._turn)


class _Turn:
    """Waits its turn for a bounded time."""

    def __init__(self, semaphore: BoundedSemaphore) -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        if not self._semaphore.acquire(timeout=PATIENCE_SECONDS):
            raise LoginsBusy

    def __exit__(self, *_: object) -> None:
        self._semaphore.release()
