"""Wait for a condition with a bound. Tests never sleep for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], seconds: float = 60.0, what: str = "", every: float = 0.02) -> Value:
    """The first true value of `condition()`; AssertionError naming `what` and the last value after
    `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s still not: {what or condition} (last value: {value!r})")
        time.sleep(every)


def stays(condition: Callable[[], object], seconds: float = 1.0, what: str = "", every: float = 0.02) -> None:
    """Hold that `condition()` is true all through the next `seconds`: for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        assert value, f"no longer: {what or condition} (value: {value!r})"
        time.sleep(every)
