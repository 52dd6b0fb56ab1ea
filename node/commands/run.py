"""`jisr run` and `jisr migrate`."""

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.progress import Progress

from kernel import log
from kernel.errors import SettingsError
from kernel.migration import migrate as apply_migrations
from kernel.settings import Settings
from node.commands.output import AsJson, SettingsFile, errors, explained, read_settings, rows_table, show
from node.processes import ALL, OWNERS, SERVICES, check_databases, prepare
from node.supervisor import supervise


class Process(StrEnum):
    """What `jisr run` can run."""

    FORUM = "forum"
    CASE = "case"
    NOTIFY = "notify"
    SYNC = "sync"
    SERVICES = "services"
    ENGINE = "engine"
    GATEWAY = "gateway"
    ALL = "all"


def run(
    process: Annotated[Process, typer.Argument(help="`services` is the four services in one process.")],
    settings: SettingsFile = None,
) -> None:
    """Run one process of this node, or all of them, until SIGTERM or Ctrl-C.

    Example: jisr run all --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        log.configure(prepared.settings.log_level)
        file = _named(settings)
        if process in (Process.SERVICES, *SERVICES):
            _become_services(list(SERVICES) if process is Process.SERVICES else [process.value], file)
        check_databases(prepared.settings, process)
        if process is Process.ALL:
            supervise(ALL, file)
        elif process is Process.ENGINE:
            _run_engine(prepared.settings)
        else:
            _run_gateway(prepared.settings)


def _named(settings: Path | None) -> Path:
    return Path(settings or os.environ["JISR_SETTINGS"]).resolve()


def _become_services(names: list[str], settings: Path) -> NoReturn:
    """Replace this process: eventlet must patch an interpreter that has imported nothing yet."""
    sys.stdout.flush()
    os.execv(  # noqa: S606 - no shell is what we want
        sys.executable, [sys.executable, "-m", "node.services", *names, "--settings", str(settings)]
    )


def _run_engine(settings: Settings) -> None:
    from services.sync import engine

    engine.run(settings)


def _run_gateway(settings: Settings) -> None:
    from services.gateway import serve

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    serve.serve(settings)


def migrate(
    service: Annotated[str | None, typer.Argument(help="One service; all of them if not given.")] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring the databases of this node to this release. Repeating it is harmless.

    Example: jisr migrate --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        if service is not None and service not in OWNERS:
            raise SettingsError(f"There is no service named {service}; the services are {', '.join(OWNERS)}.")
        done: list[dict[str, Any]] = []
        with Progress(console=errors, transient=True, disable=as_json) as progress:
            for name in progress.track([service] if service else list(OWNERS), description="migrating"):
                applied = apply_migrations(chosen.database_url_of(name), name, keys=chosen.keys_directory)
                done.append({"service": name, "applied": applied})
        show(done, as_json=as_json, table=lambda: rows_table(["service", "applied"], done))
