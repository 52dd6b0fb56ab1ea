"""Timers: a bounded pass every so often, one at a time."""

from collections.abc import Callable
from typing import Any

from nameko.extensions import register_entrypoint
from nameko.timer import Timer

from kernel.errors import JisrError
from kernel.log import get_logger

log = get_logger("service")


def every(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a method every `seconds`, one call at a time; a failure is logged and the next call comes as usual."""

    def decorate(method: Callable[..., None]) -> Callable[..., None]:
        def ticked(self: Any) -> None:
            try:
                method(self)
            except JisrError as error:
                log.warning("timer.failed", timer=method.__name__, code=error.code, cause=error.details)
            except Exception as error:  # the container would log its text
                log.failure("timer.failed", error, timer=method.__name__)

        ticked.__name__ = method.__name__
        ticked.__doc__ = method.__doc__
        register_entrypoint(ticked, Timer(seconds))
        return ticked

    return decorate
