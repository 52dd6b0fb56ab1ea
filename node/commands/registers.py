"""`jisr import` and `jisr export`: an office's own tables taken in, and cases given out as a table."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TextColumn
from sqlmodel import select

from contracts import case as contract
from contracts import roles, rules, topology
from kernel.clock import now
from kernel.crypto import hashed_id, load_hash_key
from kernel.database import Database
from kernel.errors import BadInput
from kernel.identity import Actor, require
from kernel.settings import Settings
from kernel.spreadsheet import write_csv, write_xlsx
from kernel.vault import Vault
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, errors, explained, read_settings, rows_table, show
from services.case.handlers import every_case
from services.case.importing import mapping, preparing, registers
from services.case.importing.taking import Importer, Report
from services.case.sealing import VAULT
from services.gateway.auth import actor_of
from services.gateway.tables import Account

take_in = typer.Typer(no_args_is_help=True, help="Past cases and partners from an office's own table.")
give_out = typer.Typer(no_args_is_help=True, help="What an account may see, as a table.")
REPORTED = ["rows", "taken", "there_before", "bad_rows", "dry_run"]
MOST_HELPERS = 3
BAD = ["row", "cell", "field", "reason"]

TableFile = Annotated[Path, typer.Argument(help="A CSV or XLSX file.")]
MappingFile = Annotated[Path, typer.Option("--mapping", help="What its columns and words mean; see docs/imports.md.")]
AsAccount = Annotated[str, typer.Option("--as", help="Login of the account in whose name it is done.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check every row and keep nothing.")]


@take_in.command("cases")
def import_cases(
    file: TableFile,
    mapping_file: MappingFile,
    login: AsAccount,
    dry_run: DryRun = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Take over past cases. Run it again after an interruption or a correction: what was taken over is passed by.

    Example: jisr import cases register.xlsx --mapping register.toml --as amal --dry-run --settings ninewa.toml
    """
    _take(registers.of_cases, file, mapping_file, login, dry_run, settings, as_json)


@take_in.command("partners")
def import_partners(
    file: TableFile,
    mapping_file: MappingFile,
    login: AsAccount,
    dry_run: DryRun = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Take over partners; each is vetted by somebody else before it can be asked.

    Example: jisr import partners partners.csv --mapping partners.toml --as amal --settings ninewa.toml
    """
    _take(registers.of_partners, file, mapping_file, login, dry_run, settings, as_json)


def _take(
    kind: Any, file: Path, mapping_file: Path, login: str, dry_run: bool, settings: Path | None, as_json: bool
) -> None:
    with explained():
        chosen = read_settings(settings)
        by = _actor(chosen, login)
        database = _case_database(chosen)
        try:
            here = _here(chosen)
            importer = Importer(
                database, mapping.load(mapping_file), kind(by=by, here=here), by, here.hashed, _helpers()
            )
            report = _with_progress(importer, file, dry_run=dry_run, quiet=as_json)
        finally:
            database.close()
    _tell(report, dry_run=dry_run, as_json=as_json)
    if report.bad:
        raise typer.Exit(FOUND_WRONG)


def _helpers() -> int:
    """Processes beside this one that prepare rows. One core is left to the node's services: officers come first."""
    return max(0, min(len(os.sched_getaffinity(0)) - 2, MOST_HELPERS))


def _with_progress(importer: Importer, file: Path, *, dry_run: bool, quiet: bool) -> Report:
    with Progress(TextColumn("{task.description}"), console=errors, disable=quiet) as progress:
        task = progress.add_task("0 rows")

        def told(report: Report) -> None:
            progress.update(task, description=f"{report.rows} rows, {report.bad_rows} bad")

        with preparing.collecting_seldom():
            return importer.run(file, now=now(), dry_run=dry_run, told=told)


def _tell(report: Report, *, dry_run: bool, as_json: bool) -> None:
    whole = {name: getattr(report, name, dry_run) for name in REPORTED}
    bad = [asdict(cell) for cell in report.bad]
    show({**whole, "bad": bad}, as_json=as_json, table=lambda: rows_table(REPORTED, [whole]))
    if bad and not as_json:
        show(bad, as_json=False, table=lambda: rows_table(BAD, bad, title="Not taken over"))


@give_out.command("cases")
def export_cases(
    file: Annotated[Path, typer.Argument(help="The file to write, .csv or .xlsx; it must not exist.")],
    login: AsAccount,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the cases that an account may see, without identity. The export is a line in the audit log.

    Example: jisr export cases cases.xlsx --as amal --settings ninewa.toml
    """
    with explained():
        write = {".csv": write_csv, ".xlsx": write_xlsx}.get(file.suffix.lower())
        if write is None:
            raise BadInput("The name of the file ends in .csv or .xlsx.")
        chosen = read_settings(settings)
        by = _actor(chosen, login)
        require(by, *roles.CASE_READ)
        database = _case_database(chosen)
        try:
            with file.open("xb") as out:
                columns = list(contract.CaseSummary().fields)
                found = every_case(database, contract.CaseQuery().load({}), by=by, now=now())
                count = write(out, columns, ([getattr(case, name) for name in columns] for case in found))
        except FileExistsError as error:
            raise BadInput(f"The file {file} exists; it is not overwritten.") from error
        finally:
            database.close()
        told = {"file": str(file), "cases": count}
        show(told, as_json=as_json, table=lambda: rows_table(list(told), [told]))


def _actor(settings: Settings, login: str) -> Actor:
    """The account, with the roles that it has now."""
    database = Database(settings.database_url_of("gateway"), service="gateway")
    try:
        with database.read() as session:
            account = session.exec(select(Account).where(Account.login == login.lower())).first()
            if account is None or not account.active:
                raise BadInput(f"There is no active account {login} here.")
            return actor_of(account, settings.node)
    finally:
        database.close()


def _case_database(settings: Settings) -> Database:
    database = Database(settings.database_url_of("case"), service="case")
    database.info[VAULT] = Vault.at(settings.keys_directory)
    return database


def _here(settings: Settings) -> registers.Here:
    key = load_hash_key(settings.keys_directory / "hash.key")
    return registers.Here(
        node=settings.node,
        iso=topology.load(settings.topology).node(settings.node).iso,
        rules=rules.load(settings.rules).case,
        hashed=lambda text: hashed_id(key, text),
    )
