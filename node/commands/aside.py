"""`jisr quarantine` and `jisr parked`: what was put aside and waits for an operator."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kernel.clock import now
from kernel.errors import BadInput
from node.commands.link import operator, sync_database
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, explained, rows_table, show
from node.processes import Prepared, prepare
from services.sync import operations, put_aside

quarantine = typer.Typer(no_args_is_help=True, help="Messages between nodes that were refused.")
parked = typer.Typer(no_args_is_help=True, help="Entries that are held but could not become a record.")

MESSAGE = ["id", "at", "queue", "origin", "reason", "kept_bytes"]
PARKED = ["origin", "number", "subject", "reason", "at", "skipped_at", "skipped_reason"]

Origin = Annotated[str | None, typer.Option("--origin", help="Only those of one node.")]
OfOrigin = Annotated[str, typer.Argument(help="The node whose entries are parked, for example ninewa.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log; no names of persons.")]


def attention(prepared: Prepared) -> list[str]:
    """What `jisr status` says of the quarantine."""
    with sync_database(prepared).read() as session:
        counts = put_aside.quarantined_counts(session)
    return [f"{count} messages of {queue} in quarantine" for queue, count in sorted(counts.items())]


@quarantine.command("list")
def list_quarantine(origin: Origin = None, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """List refused messages with their causes, newest first. Exit code 1 when there are any.

    Example: jisr quarantine list --origin ninewa --settings directorate-baghdad.toml
    """
    with explained():
        with sync_database(prepare(settings)).read() as session:
            found = put_aside.quarantined(session, origin)
        show(found, as_json=as_json, table=lambda: rows_table(MESSAGE, found, title=f"{len(found)} in quarantine"))
    if found:
        raise typer.Exit(FOUND_WRONG)


@quarantine.command("show")
def show_quarantine(
    number: Annotated[int, typer.Argument(help="The id that `jisr quarantine list` shows.")],
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the body, as much as was kept, to a new file.")
    ] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one refused message: its cause and what was legible of its header.

    Example: jisr quarantine show 3 --settings directorate-baghdad.toml
    """
    with explained():
        with sync_database(prepare(settings)).read() as session:
            found = put_aside.quarantined_message(session, number)
        body = found.pop("body")
        if save is not None:
            _save(save, body)
        show(found, as_json=as_json, table=lambda: rows_table([*MESSAGE, "header"], [found]))


def _save(file: Path, body: bytes) -> None:
    try:
        with file.open("xb") as out:
            out.write(body)
    except OSError as error:
        raise BadInput(f"The file {file} cannot be written: {error.strerror}.") from error


@quarantine.command("discard")
def discard(
    reason: Reason,
    numbers: Annotated[list[int] | None, typer.Argument(help="Ids that `jisr quarantine list` shows.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Throw refused messages away. Nothing is lost: what is good in them, the origin sends again.

    Example: jisr quarantine discard 3 4 --reason "broker was misconfigured" --settings directorate-baghdad.toml
    """
    with explained():
        if everything is bool(numbers):
            raise BadInput("Name the messages to throw away, or say --all.")
        prepared = prepare(settings)
        with sync_database(prepared).write() as session:
            count = put_aside.discard(session, None if everything else numbers, reason=reason, **_signed(prepared))
        done = {"discarded": count}
        show(done, as_json=as_json, table=lambda: rows_table(["discarded"], [done]))


@parked.command("list")
def list_parked(origin: Origin = None, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """List entries that could not become a record, with their causes. Exit code 1 when any is not skipped.

    Example: jisr parked list --settings directorate-baghdad.toml
    """
    with explained():
        with sync_database(prepare(settings)).read() as session:
            found = put_aside.parked(session, origin)
        show(found, as_json=as_json, table=lambda: rows_table(PARKED, found, title=f"{len(found)} parked entries"))
    if any(each["skipped_at"] is None for each in found):
        raise typer.Exit(FOUND_WRONG)


@parked.command("retry")
def retry(
    origin: OfOrigin,
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers of entries; all that were not skipped.")] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Try again to make records of parked entries. Exit code 1 when some stay parked.

    Example: jisr parked retry ninewa --settings directorate-baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        database = sync_database(prepared)
        with database.read() as session:
            chosen = sorted(set(numbers)) if numbers else put_aside.waiting(session, origin)
        folded = 0
        for at in range(0, len(chosen), put_aside.AT_ONCE):
            some = chosen[at : at + put_aside.AT_ONCE]
            with database.write() as session:
                own = origin == prepared.node.id
                folded += put_aside.retry(session, origin, some, own=own, **_signed(prepared))
        done = {"origin": origin, "tried": len(chosen), "folded": folded}
        show(done, as_json=as_json, table=lambda: rows_table(["origin", "tried", "folded"], [done]))
    if folded < len(chosen):
        raise typer.Exit(FOUND_WRONG)


@parked.command("skip")
def skip(
    origin: OfOrigin,
    numbers: Annotated[list[int], typer.Argument(help="Numbers of parked entries.")],
    reason: Reason,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Do not wait for parked entries any more. They stay in the chain and in the list, with the reason.

    Example: jisr parked skip ninewa 17 --reason "a test that was sent by mistake" --settings directorate-baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        with sync_database(prepared).write() as session:
            count = put_aside.skip(session, origin, sorted(set(numbers)), reason=reason, **_signed(prepared))
        done = {"origin": origin, "skipped": count}
        show(done, as_json=as_json, table=lambda: rows_table(["origin", "skipped"], [done]))


def _signed(prepared: Prepared) -> dict[str, Any]:
    """Who does it, when, and who reads of it."""
    node = prepared.node.id
    return {"by": operator(node), "now": now(), "audience": operations.readers(prepared.topology, node)}
