"""`jisr bundle`: replication by hand, for a node whose line is dead for weeks."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from contracts.sync import Operation
from contracts.topology import NodeKind
from contracts.work import BUNDLES
from kernel.clock import now
from kernel.crypto import VerifyKey
from kernel.disk import disk_of
from kernel.errors import BadInput, SettingsError
from node.commands.link import operator, sync_database
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, errors, explained, rows_table, show
from node.processes import Prepared, prepare
from services.sync import arrivals, bundle, by_hand, operations, own_keys
from services.sync.batches import relays_to
from services.sync.entry import Shown
from services.sync.handlers import find_link
from services.sync.message import Ring
from services.sync.relays import post_of
from services.sync.trust import Trust

app = typer.Typer(no_args_is_help=True, help="Signed batches in a file, for a line that is dead for weeks.")
EXPORTED = ["file", "destination", "after", "until", "bytes"]
IMPORTED = ["origin", "held_before", "held", "entries", "batches", "repeats", "problem"]
STEPS = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    to: Annotated[str, typer.Option("--to", help="The destination, for example directorate-baghdad.")],
    after: Annotated[
        int | None, typer.Option("--after", min=0, help="Begin after this number; else after what is known to be held.")
    ] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Write what a destination does not hold yet into a file. Interrupted, the same call goes on where it was.

    Example: jisr bundle export --to directorate-baghdad /media/stick/ninewa.jisr --settings ninewa.toml
    """
    with explained():
        done = _export(prepare(settings), file, to, after, quiet=as_json)
        show(done, as_json=as_json, table=lambda: rows_table(EXPORTED, [done]))


def _export(prepared: Prepared, file: Path, to: str, after: int | None, *, quiet: bool) -> dict[str, Any]:
    node, database = prepared.node.id, sync_database(prepared)
    disk_of(prepared.settings).admit(BUNDLES)
    spec = find_link(prepared.topology, node, to)
    with database.read() as session:
        keys = own_keys.load(session, prepared.settings)
    chosen = by_hand.span(database, spec, after)
    with Progress(*STEPS, console=errors, transient=True, disable=quiet) as progress, _readable(file):
        task = progress.add_task(f"entries for {to}", total=chosen.until - chosen.after.number)
        size = by_hand.export(
            database,
            keys,
            spec,
            chosen,
            file,
            relays_to=relays_to(prepared.topology, node),
            software=f"jisr {version('jisr')}",
            now=now(),
            progress=lambda number: progress.update(task, completed=number - chosen.after.number),
        )
    _note(prepared, Operation.EXPORT_BUNDLE, to, chosen.until - chosen.after.number)
    return {"file": str(file), "destination": to, "after": chosen.after.number, "until": chosen.until, "bytes": size}


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `jisr bundle export` wrote for this node.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Apply a bundle, with every check of the live link; also while the engine runs. What is held is skipped.

    Interrupted, or given twice, it goes on from what is held. Exit code 1 when something in it cannot be applied.

    Example: jisr bundle import /media/stick/ninewa.jisr --settings directorate-baghdad.toml
    """
    with explained():
        done = _import(prepare(settings), file, quiet=as_json)
        show(done, as_json=as_json, table=lambda: rows_table(IMPORTED, [done]))
    if done["problem"]:
        raise typer.Exit(FOUND_WRONG)


def _import(prepared: Prepared, file: Path, *, quiet: bool) -> dict[str, Any]:
    node = prepared.node.id
    origins = {link.origin for link in prepared.topology.links_to(node)}

    def is_for(one: Shown) -> bool:
        return arrivals.is_for(node, one, takes_unaddressed=prepared.node.kind is NodeKind.GOVERNORATE)

    disk_of(prepared.settings).admit(BUNDLES)
    wait = prepared.settings.replication.relay_after_seconds
    columns = (*STEPS, DownloadColumn())
    with _readable(file), file.open("rb") as source:
        header = bundle.read_header(source)
        by_hand.check(header, node, origins)
        keys = _believed(prepared, header.origin)
        with Progress(*columns, console=errors, transient=True, disable=quiet) as progress:
            task = progress.add_task(f"entries of {header.origin}", total=file.stat().st_size)
            done = by_hand.take_in(
                sync_database(prepared),
                source,
                header.origin,
                keys=keys,
                is_for=is_for,
                clock=now,
                post=post_of(prepared.topology, node, header.origin, wait_seconds=wait),
                progress=lambda offset: progress.update(task, completed=offset),
            )
    _note(prepared, Operation.IMPORT_BUNDLE, header.origin, done.entries)
    return {name: getattr(done, name) for name in IMPORTED}


def _believed(prepared: Prepared, origin: str) -> Ring:
    """The keys that the engine would believe now: a revoked node is not heard by file either."""
    files: dict[str, VerifyKey] = {}
    with suppress(SettingsError):
        files[origin] = VerifyKey.load(prepared.settings.peer_keys_directory / f"{origin}.pub")
    trust = Trust(files)
    with sync_database(prepared).read() as session:
        trust.read(session)
    if not trust.knows(origin):
        raise BadInput(f"No key of {origin} is believed here; nothing that it signed can be taken.")
    return trust.ring


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """What the file system says of the file becomes a sentence."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"The file {file} cannot be used: {error.strerror}.") from error


def _note(prepared: Prepared, action: Operation, about: str, count: int) -> None:
    node = prepared.node.id
    audience = operations.readers(prepared.topology, node)
    with sync_database(prepared).write() as session:
        operations.note(session, action, about, by=operator(node), now=now(), audience=audience, count=count)
