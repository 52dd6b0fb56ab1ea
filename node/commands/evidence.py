"""`jisr evidence`: files of a case that went to another governorate, carried after it by hand."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kernel.clock import now
from kernel.errors import BadInput
from kernel.vault import Vault
from node.commands.databases import opened
from node.commands.link import operator
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, explained, rows_table, show
from node.processes import prepare
from services.case import handlers, sealing
from services.case.post import post_of

app = typer.Typer(no_args_is_help=True, help="Files of a case that went to another governorate.")
EXPORTED = ["file", "number", "receiver", "files", "elsewhere"]
IMPORTED = ["number", "sender", "files", "before", "refused"]


@app.command("export")
def export(
    number: Annotated[str, typer.Argument(help="The number of the transfer that released the case, T-…")],
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the evidence of a released case into a file that only the node it went to can open.

    Carry it there like a bundle. A line in the audit log says that it was written.

    Example: jisr evidence export T-NI-2026-000003-K /media/stick/evidence.jisr --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        database = opened(prepared.settings, "case")
        database.info[sealing.VAULT] = Vault.at(prepared.settings.keys_directory)
        try:
            with file.open("xb") as out:
                done = handlers.export_evidence(
                    database,
                    out,
                    number,
                    by=operator(prepared.node.id),
                    now=now(),
                    post=post_of(prepared.settings),
                    directory=prepared.settings.home / "evidence",
                )
        except FileExistsError as error:
            raise BadInput(f"The file {file} exists; it is not overwritten.") from error
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        told = {"file": str(file), **asdict(done)}
        show(told, as_json=as_json, table=lambda: rows_table(EXPORTED, [told]))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `jisr evidence export` wrote for this node.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Take in the evidence of a case that came from another governorate; may run beside the service.

    Given twice, or again after an interruption, it goes on with what is missing. Exit code 1 when a file in it is not
    what the register of the case says.

    Example: jisr evidence import /media/stick/evidence.jisr --settings duhok.toml
    """
    with explained():
        prepared = prepare(settings)
        database = opened(prepared.settings, "case")
        database.info[sealing.VAULT] = Vault.at(prepared.settings.keys_directory)
        if not file.is_file():
            raise BadInput(f"There is no file {file}.")
        with file.open("rb") as source:
            done = handlers.import_evidence(
                database,
                source,
                by=operator(prepared.node.id),
                now=now(),
                post=post_of(prepared.settings),
                directory=prepared.settings.home / "evidence",
            )
        told = asdict(done)
        show(told, as_json=as_json, table=lambda: rows_table(IMPORTED, [told]))
    if done.refused:
        raise typer.Exit(FOUND_WRONG)
