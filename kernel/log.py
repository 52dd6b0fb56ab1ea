"""JSON lines on standard error: one event name and named values, never a sentence made of values.

What may identify a person is not logged at all. As a net below that rule, a value wrapped in `Private`, and any value
under a name that marks it as private, is printed as `[private]`. An exception is logged by its type and the places it
passed, not by its text: the text may quote what was sent.
"""

import logging
import sys
import traceback
from typing import Any

import msgspec

from kernel.clock import iso, now

PRIVATE_NAMES = frozenset(
    {
        "password",
        "token",
        "secret",
        "authorization",
        "name",
        "phone",
        "email",
        "contact",
        "narrative",
        "body",
        "text",
    }
)
HIDDEN = "[private]"


class Private:
    """A value that may be handled but never printed."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__


_least = logging.NOTSET


def only_warnings(quiet: bool) -> None:
    """Write nothing below a warning, whatever the level that was asked for; or that level again."""
    global _least
    _least = logging.WARNING if quiet else logging.NOTSET


class Log:
    """Writes events of one part of the program: `log.info("outbox.relayed", count=3)`."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **values: Any) -> None:
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: Any) -> None:
        self._write(logging.INFO, event, values)

    def warning(self, event: str, **values: Any) -> None:
        self._write(logging.WARNING, event, values)

    def error(self, event: str, **values: Any) -> None:
        self._write(logging.ERROR, event, values)

    def failure(self, event: str, error: BaseException, **values: Any) -> None:
        """An error that nobody expected: its type and the places it passed, without its text."""
        places = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        self._write(logging.ERROR, event, {**values, "error": type(error).__name__, "places": places[-12:]})

    def _write(self, level: int, event: str, values: dict[str, Any]) -> None:
        if level >= _least and self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"values": values})


def get_logger(name: str) -> Log:
    """The log of one part of the program, for example `outbox`."""
    return Log(logging.getLogger(f"jisr.{name}"))


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `part`, `event` and the event's own values."""

    def format(self, record: logging.LogRecord) -> str:
        values = getattr(record, "values", None)
        line: dict[str, Any] = {
            "at": iso(now()),
            "level": record.levelname.lower(),
            "part": record.name.removeprefix("jisr."),
        }
        if values is None:  # a library's own sentence: it may quote what it was given, so only where it came from
            line["event"] = "library"
            line["place"] = f"{record.pathname}:{record.lineno}"
            if record.exc_info and record.exc_info[0]:
                line["error"] = record.exc_info[0].__name__
        else:
            line["event"] = record.getMessage()
            line |= {key: _shown(key, value) for key, value in values.items()}
        return msgspec.json.encode(line).decode()


def _shown(key: str, value: Any) -> Any:
    if isinstance(value, Private) or key.lower() in PRIVATE_NAMES:
        return HIDDEN
    if isinstance(value, dict):
        return {str(name): _shown(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


def configure(level: str) -> None:
    """Send this process's log to standard error as JSON lines; libraries speak from `warning` up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("jisr").setLevel(level.upper())
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # every lost connection is logged by us, once
