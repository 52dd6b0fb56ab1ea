"""The databases that a command opens, closed when it ends."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from kernel.database import Database
from kernel.settings import Settings

_closing: ContextVar[ExitStack | None] = ContextVar("closing", default=None)


@contextmanager
def closed_afterwards() -> Iterator[None]:
    """Close what `opened` opens within."""
    with ExitStack() as stack:
        before = _closing.set(stack)
        try:
            yield
        finally:
            _closing.reset(before)


def opened(settings: Settings, service: str) -> Database:
    """The database of a service of this node; closed when the command that runs has ended, if one does."""
    database = Database(settings.database_url_of(service), service=service)
    stack = _closing.get()
    if stack is not None:
        stack.callback(database.close)
    return database
