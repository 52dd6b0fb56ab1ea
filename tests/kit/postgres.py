"""One PostgreSQL server for a whole test run. Quick, and so not crash-safe, unless asked for."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.postgres import PrivatePostgres


@contextmanager
def private_postgres(*, durable: bool = False) -> Iterator[PrivatePostgres]:
    """A running server in a directory that its own user can reach."""
    with tempfile.TemporaryDirectory(prefix="jisr-postgres-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        server = PrivatePostgres(Path(home) / "server", durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
