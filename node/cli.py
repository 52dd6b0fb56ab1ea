"""`jisr`: run a node, look at it, and act on it. Each command works on the node's own databases and broker."""

import os

import typer

from node.commands import (
    aside,
    bundle,
    ca,
    dead,
    enrolling,
    evidence,
    keys,
    link,
    proof,
    registers,
    retention,
    run,
    status,
    sync,
    user,
    verify,
    witness,
)

app = typer.Typer(
    name="jisr",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Jisr: records of community policing, kept on each governorate's own node and replicated to the directorates.",
    epilog="Exit codes: 0 done; 1 found something wrong; 2 bad call or settings; 3 a needed part cannot be reached.",
)
app.command("run")(run.run)
app.command("migrate")(run.migrate)
app.command("status")(status.status)
app.command("verify")(verify.verify)
app.command("proof")(proof.proof)
app.command("retention")(retention.retention)
app.command("witness")(witness.witness)
app.command("enrol")(enrolling.enrol)
app.command("admit")(enrolling.admit)
app.command("revoke")(enrolling.revoke)
app.command("readmit")(enrolling.readmit)
app.add_typer(link.app, name="link")
app.add_typer(sync.app, name="sync")
app.add_typer(bundle.app, name="bundle")
app.add_typer(evidence.app, name="evidence")
app.add_typer(dead.app, name="dead")
app.add_typer(aside.quarantine, name="quarantine")
app.add_typer(aside.parked, name="parked")
app.add_typer(registers.take_in, name="import")
app.add_typer(registers.give_out, name="export")
app.add_typer(user.app, name="user")
app.add_typer(keys.app, name="keys")
app.add_typer(ca.app, name="ca")


def main() -> None:
    """The entry point of the command `jisr`."""
    os.umask(0o077)  # databases hold identities: what is made here is for this user only
    app()
