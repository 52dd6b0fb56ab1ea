"""What every command shares: the settings option, the two forms of output, and the meaning of exit codes.

Exit codes: 0 done; 1 the command ran and found something wrong; 2 the call or the settings are wrong; 3 a part that
is needed (database, broker) cannot be reached now.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console, RenderableType
from rich.table import Table

from kernel import settings as kernel_settings
from kernel.errors import JisrError, Unavailable
from kernel.settings import Settings
from node.commands.databases import closed_afterwards

FOUND_WRONG = 1
BAD_CALL = 2
UNREACHABLE = 3
PIPED_WIDTH = 160  # wide enough that a table in a log keeps its lines

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", envvar="JISR_SETTINGS", help="The node's settings file.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

errors = Console(stderr=True)


@contextmanager
def explained() -> Iterator[None]:
    """Turn our errors into one sentence on standard error and an exit code; close the databases that were opened."""
    try:
        with closed_afterwards():
            yield
    except Unavailable as error:
        errors.print(f"jisr: {error.message}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(UNREACHABLE) from error
    except JisrError as error:
        errors.print(f"jisr: {error.message}", style="red", markup=False, soft_wrap=True)
        if where := error.details.get("where"):
            errors.print(msgspec.json.encode(where, enc_hook=str).decode(), markup=False, soft_wrap=True)
        raise typer.Exit(BAD_CALL) from error


def read_settings(file: Path | None) -> Settings:
    """The settings that the option or the environment names."""
    return kernel_settings.load(file)


def show(value: Any, *, as_json: bool, table: Callable[[], RenderableType]) -> None:
    """Print `value` as one JSON document, or the table."""
    if as_json:
        typer.echo(msgspec.json.encode(value, enc_hook=str).decode())
    else:
        Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table())


def rows_table(columns: Sequence[str], rows: Sequence[dict[str, Any]], *, title: str | None = None) -> Table:
    """A table of `rows` with the values of `columns`; what is not known is shown as a dash."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(item) for item in value)
    return str(value)
