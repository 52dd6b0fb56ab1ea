"""Attempts bounded per key, in bounded memory: what keeps a guesser from trying every password.

Kept in this process only. A restart forgets, which costs a guesser's patience more than it gives: an attempt is an
argon2 hash, and each key starts again from its own limit.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock


@dataclass
class _Failures:
    count: int
    last: datetime


class Throttle:
    """Free attempts up to `limit`; then each failure doubles the wait, from `first_wait` up to `longest_wait`.

    At most `capacity` keys are remembered; the one that failed longest ago is forgotten first.
    """

    def __init__(
        self,
        limit: int,
        *,
        first_wait: timedelta = timedelta(seconds=30),
        longest_wait: timedelta = timedelta(minutes=15),
        capacity: int = 10_000,
    ) -> None:
        self.limit = limit
        self.first_wait = first_wait
        self.longest_wait = longest_wait
        self.capacity = capacity
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: str, now: datetime) -> timedelta:
        """How long this key has to wait before its next attempt; zero when it may try now."""
        with self._lock:
            failures = self._failures.get(key)
            if failures is None:
                return timedelta(0)
            return max(failures.last + self._penalty(failures.count) - now, timedelta(0))

    def failed(self, key: str, now: datetime) -> None:
        """Count a failure. A key that behaved for as long as the longest wait starts again from one."""
        with self._lock:
            failures = self._failures.pop(key, None)
            rested = failures is None or now - failures.last > 2 * self.longest_wait
            self._failures[key] = _Failures(1 if rested or failures is None else failures.count + 1, now)
            while len(self._failures) > self.capacity:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)

    def __len__(self) -> int:
        return len(self._failures)

    def _penalty(self, count: int) -> timedelta:
        over = count - self.limit
        if over < 0:
            return timedelta(0)
        doublings = min(over, 20)  # beyond that the longest wait applies anyway; keeps the number small
        return min(self.first_wait * 2**doublings, self.longest_wait)
