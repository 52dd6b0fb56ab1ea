"""`jisr user`: accounts, made by an operator on the node itself."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from kernel.clock import now
from kernel.crypto import load_hash_key
from kernel.database import Database
from kernel.errors import BadInput
from kernel.settings import Settings
from node.commands.databases import opened
from node.commands.output import AsJson, SettingsFile, errors, explained, read_settings, rows_table, show
from node.commands.status import ready
from services.gateway import accounts

app = typer.Typer(no_args_is_help=True, help="Accounts of this node.")
TOLD_SECONDS = 5.0  # the gateway looks once a second
COLUMNS = ["login", "roles", "unit", "language", "active", "id"]

Login = Annotated[str, typer.Argument(help="The login, for example amal.")]


def _database(settings: Settings) -> Database:
    return opened(settings, "gateway")


def _wait_told(settings: Settings, account_id: str) -> None:
    """Wait until a gateway that runs has told notify, or whoever is given a case next would not be notified of it."""
    if not ready(settings, "gateway"):
        return
    database, until = _database(settings), time.monotonic() + TOLD_SECONDS
    while not accounts.is_told(database, account_id):
        if time.monotonic() > until:
            errors.print("The notify service does not know of this yet; it is told as soon as it answers.")
            return
        time.sleep(0.1)


def _password(file: Path | None) -> str:
    """From a file, from a prompt, or from standard input when it is no terminal; never from the command line."""
    if file is not None:
        try:
            return file.read_text("utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"The password file {file} cannot be read.") from error
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


@app.command("add")
def add(
    login: Login,
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given several times.")],
    name: Annotated[str, typer.Option("--name", help="The person's name, as colleagues know it.")],
    unit: Annotated[str | None, typer.Option("--unit", help="The unit that the person belongs to.")] = None,
    forum: Annotated[list[str] | None, typer.Option("--forum", help="A forum's id, for forum roles.")] = None,
    language: Annotated[str, typer.Option("--language", help="ar, ckb or en.")] = "ar",
    email: Annotated[str | None, typer.Option("--email", help="Where notifications go besides the inbox.")] = None,
    password_file: Annotated[Path | None, typer.Option("--password-file", help="A file with the password.")] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Add an account. The password is read from --password-file, a prompt, or standard input.

    Example: jisr user add amal --role intake_officer --name "Amal" --unit mosul-left --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        values: dict[str, Any] = {
            "login": login,
            "name": name,
            "password": _password(password_file),
            "roles": role,
            "language": language,
            "forums": forum or [],
        }
        values |= {key: value for key, value in (("unit", unit), ("email", email)) if value is not None}
        account = accounts.add_user(_database(chosen), values, now=now(), hash_key=_hash_key(chosen))
        _wait_told(chosen, account["id"])
        show(account, as_json=as_json, table=lambda: rows_table(COLUMNS, [account]))


@app.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """List the accounts.

    Example: jisr user list --settings ninewa.toml
    """
    with explained():
        found = accounts.list_users(_database(read_settings(settings)))
        show(found, as_json=as_json, table=lambda: rows_table(COLUMNS, found))


@app.command("disable")
def disable(login: Login, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Disable an account: its password and the tokens it holds stop working at once.

    Example: jisr user disable amal --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        account = accounts.disable_user(_database(chosen), login, now=now(), hash_key=_hash_key(chosen))
        _wait_told(chosen, account["id"])
        show(account, as_json=as_json, table=lambda: rows_table(COLUMNS, [account]))


@app.command("enable")
def enable(login: Login, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Let an account that was disabled log in again; tokens that it held before stay refused.

    Example: jisr user enable amal --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        account = accounts.enable_user(_database(chosen), login, now=now(), hash_key=_hash_key(chosen))
        _wait_told(chosen, account["id"])
        show(account, as_json=as_json, table=lambda: rows_table(COLUMNS, [account]))


@app.command("roles")
def roles(
    login: Login,
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given several times.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Say what an account may do from now on: these roles and no others, in requests that are under way too.

    Example: jisr user roles amal --role unit_supervisor --role intake_officer --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        account = accounts.set_user_roles(_database(chosen), login, role, now=now(), hash_key=_hash_key(chosen))
        _wait_told(chosen, account["id"])
        show(account, as_json=as_json, table=lambda: rows_table(COLUMNS, [account]))


@app.command("posting")
def posting(
    login: Login,
    unit: Annotated[str | None, typer.Option("--unit", help="The unit; none if not given.")] = None,
    forum: Annotated[list[str] | None, typer.Option("--forum", help="A forum's id; may be given again.")] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Say in which unit and forums an account works from now on: these and no others.

    Example: jisr user posting amal --unit mosul-right --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        account = accounts.set_user_posting(
            _database(chosen), login, unit=unit, forums=forum or [], now=now(), hash_key=_hash_key(chosen)
        )
        _wait_told(chosen, account["id"])
        show(account, as_json=as_json, table=lambda: rows_table([*COLUMNS, "forums"], [account]))


def _hash_key(settings: Settings) -> bytes:
    return load_hash_key(settings.keys_directory / "hash.key")
