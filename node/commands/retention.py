"""`jisr retention`: erase what has been kept for long enough."""

from typing import Annotated, Any

import typer

from contracts import rules
from kernel.clock import now
from kernel.vault import Vault
from node.commands.databases import opened
from node.commands.link import operator
from node.commands.output import AsJson, SettingsFile, explained, rows_table, show
from node.processes import prepare
from services.case import handlers, sealing

AT_ONCE = 100  # one transaction: some tens of milliseconds in which no case is opened
COLUMNS = ["category", "months", "due", "first_ended"]

Run = Annotated[bool, typer.Option("--run", help="Erase what is due. Without it nothing is changed.")]


def retention(run: Run = False, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Show in how many cases identity has been kept for longer than the rules say; with --run erase it for good.

    The case, its number and its count stay; the journal and the audit log say that it was erased. May run beside the
    service, and again after it was interrupted.

    Example: jisr retention --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        policy, moment = rules.load(prepared.settings.rules).retention, now()
        database = opened(prepared.settings, "case")
        database.info[sealing.VAULT] = Vault.at(prepared.settings.keys_directory)
        erased = 0
        with database.read() as session:
            found: list[dict[str, Any]] = handlers.due(session, now=moment, rules=policy)
        while run:
            with database.write() as session:
                by = operator(prepared.node.id)
                done = handlers.erase_due(session, by=by, now=moment, rules=policy, limit=AT_ONCE)
            erased += done
            run = done > 0
        told = {"due": found, "erased": erased}
        show(told, as_json=as_json, table=lambda: rows_table(COLUMNS, found, title=f"erased: {erased}"))
