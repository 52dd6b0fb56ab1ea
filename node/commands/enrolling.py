"""`jisr enrol`, `jisr admit`, `jisr revoke`, `jisr readmit`: a node comes to a directorate, is let in, is shut out."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kernel import authority
from kernel.errors import BadInput
from node import enrolment
from node.commands.link import operator
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, errors, explained, rows_table, show
from node.processes import prepare
from services.sync.enrolment import same

Fingerprint = Annotated[
    str | None,
    typer.Option("--fingerprint", help="The paper's fingerprint, as the other side read it out; asked for if absent."),
]
Passphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="A file with the passphrase of ca.key.")]


def enrol(
    destination: Annotated[str | None, typer.Argument(help="The directorate, for example directorate-baghdad.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the request.")] = None,
    finish: Annotated[Path | None, typer.Option("--finish", help="Install this answer of a directorate.")] = None,
    fingerprint: Fingerprint = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask a directorate to let this governorate in, or install its answer; also to renew a certificate.

    Writes a file to carry to the directorate, whose operator runs jisr admit; its answer is installed with --finish.

    Example: jisr enrol directorate-baghdad --out ninewa.request --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        if finish is not None:
            paper = enrolment.read_paper(finish)
            by = operator(prepared.node.id)
            _show(enrolment.finish(prepared, paper, _confirm(fingerprint), by=by), as_json)
            return
        if destination is None or out is None:
            raise BadInput("Name the directorate and --out FILE, or an answer with --finish FILE.")
        paper, shown = enrolment.request(prepared, destination)
        authority.replace(out, paper)
        _show({**shown, "file": str(out)}, as_json)


def admit(
    file: Annotated[Path, typer.Argument(help="The request, made by jisr enrol.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the answer.")],
    days: Annotated[int, typer.Option("--days", min=1, max=1826, help="How long the certificate is valid.")] = 365,
    broker: Annotated[
        str | None, typer.Option("--broker", help="amqps://host:5671/vhost, as the governorate dials it.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="A certificate that another authority signed for the request.")
    ] = None,
    passphrase_file: Passphrase = None,
    fingerprint: Fingerprint = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a governorate in: sign its certificate, make its broker user with rights and limits, believe its key.

    Example: jisr admit ninewa.request --out ninewa.answer --settings baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        elsewhere = _read(certificate).decode("ascii", "replace") if certificate else None
        signing = enrolment.Signing(days, read_passphrase(passphrase_file), elsewhere)
        paper = enrolment.read_paper(file)
        by = operator(prepared.node.id)
        answer, shown = enrolment.admit(prepared, paper, signing, _confirm(fingerprint), by=by, broker=broker)
        authority.replace(out, answer)
        _show({**shown, "file": str(out)}, as_json)


def revoke(
    node: Annotated[str, typer.Argument(help="A node id, for example ninewa.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Shut a node out: its signing key is refused from now on, its broker user deleted, its connections closed.

    Example: jisr revoke ninewa --reason "server stolen" --settings baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        _show(enrolment.revoke(prepared, node, reason, by=operator(prepared.node.id)), as_json)


def readmit(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Let in again who was admitted here, from the files in admissions/, after the sync database was lost.

    Nobody who was revoked comes back by it. Ends with 1 when a file cannot be read.

    Example: jisr readmit --dry-run --settings baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        done = enrolment.readmit(prepared, dry_run=dry_run, by=operator(prepared.node.id))
        show(done, as_json=as_json, table=lambda: rows_table(["node", "key_id", "user", "what"], done))
        if any(line["node"] is None for line in done):
            raise typer.Exit(FOUND_WRONG)


def read_passphrase(file: Path | None) -> bytes | None:
    """A passphrase from its file, without the line's end; None when no file is named."""
    return _read(file).rstrip(b"\r\n") if file else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.") from error


def _confirm(said: str | None) -> enrolment.Confirm:
    def confirm(fingerprint: str) -> bool:
        if said is not None:
            return same(said, fingerprint)
        if not sys.stdin.isatty():
            return False
        errors.print(f"Fingerprint: {fingerprint}\nLet the other side read it out by telephone.", markup=False)
        return typer.confirm("Is it the same?", err=True)

    return confirm


def _show(shown: dict[str, Any], as_json: bool) -> None:
    lines = [{"what": name.replace("_", " "), "value": value} for name, value in shown.items()]
    show(shown, as_json=as_json, table=lambda: rows_table(["what", "value"], lines))
