"""`jisr ca`: a private certificate authority, for a directorate without one."""

from pathlib import Path
from typing import Annotated

import typer

from kernel import authority
from kernel.clock import now
from kernel.errors import SettingsError
from kernel.tls import load_certificate
from node.commands.enrolling import Passphrase, read_passphrase
from node.commands.output import AsJson, SettingsFile, explained, rows_table, show
from node.processes import prepare

app = typer.Typer(no_args_is_help=True, help="A private certificate authority.")
COLUMNS = ["name", "certificate", "key", "expires_at"]


@app.command("new")
def new(
    days: Annotated[int, typer.Option("--days", min=365, max=9132, help="How long it is valid.")] = 3652,
    passphrase_file: Passphrase = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make an authority, in the node's directory ca. Its key is encrypted with --passphrase-file. Never overwrites.

    Example: jisr ca new --passphrase-file ca.passphrase --settings baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        directory = prepared.settings.ca_directory
        certificate, key = directory / "ca.pem", directory / "ca.key"
        if certificate.exists():
            raise SettingsError(f"The file {certificate} exists; it is never overwritten.")
        made = authority.Authority.new(f"Jisr {prepared.node.id}", now=now(), days=days)
        authority.save_key(key, made.key, read_passphrase(passphrase_file))
        authority.write_new(certificate, made.certificate.public_bytes(authority.PEM))
        _show(f"Jisr {prepared.node.id}", certificate, key, as_json)


@app.command("broker")
def broker(
    host: Annotated[list[str], typer.Option("--host", help="A name or address by which nodes dial; several times.")],
    days: Annotated[int, typer.Option("--days", min=1, max=1826, help="How long it is valid.")] = 365,
    passphrase_file: Passphrase = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make or renew the certificate of this node's own broker. Its key is made once and kept.

    Example: jisr ca broker --host broker.example --host 192.0.2.10 --settings baghdad.toml
    """
    with explained():
        directory = prepare(settings).settings.ca_directory
        certificate, key = directory / "broker.pem", directory / "broker.key"
        passphrase = read_passphrase(passphrase_file)
        signer = authority.Authority.load(directory / "ca.pem", directory / "ca.key", passphrase)
        own = authority.load_key(key) if key.exists() else authority.new_key(key)
        authority.replace(certificate, signer.sign_broker(own.public_key(), host, now=now(), days=days))
        _show(", ".join(host), certificate, key, as_json)


def _show(name: str, certificate: Path, key: Path, as_json: bool) -> None:
    expires_at = load_certificate(certificate).not_valid_after_utc
    shown = {"name": name, "certificate": str(certificate), "key": str(key), "expires_at": expires_at}
    show(shown, as_json=as_json, table=lambda: rows_table(COLUMNS, [shown]))
