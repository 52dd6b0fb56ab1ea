"""`jisr witness`: compare what this directorate holds with the other, now."""

import time
from typing import Annotated, Any

import typer
from sqlmodel import Session, select

from kernel.errors import BadInput
from node.commands.link import sync_database
from node.commands.output import FOUND_WRONG, UNREACHABLE, AsJson, SettingsFile, errors, explained, rows_table, show
from node.processes import Prepared, prepare
from services.sync.tables import Witnessed, WitnessRound
from services.sync.witnesses import ask

COLUMNS = ["witness", "origin", "epoch", "agreed", "differs_at", "at"]
LOOK_SECONDS = 0.2


def witness(
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the answers.")] = 60.0,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask the other directorate what it holds of every origin, and compare. Needs this node's engine to run.

    Exit code 1 when an origin told the two different stories, 3 when the other did not answer in time.

    Example: jisr witness --settings directorate-baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        peers = prepared.topology.witnesses_of(prepared.node.id)
        if not peers:
            raise BadInput(f"{prepared.node.id} has nobody to compare with: only directorates hold the same origins.")
        with sync_database(prepared).write() as session:
            asked = {peer: ask(session, peer) for peer in peers}
        silent = _wait(prepared, asked, wait)
        with sync_database(prepared).read() as session:
            found: list[dict[str, Any]] = [row.model_dump() for row in session.exec(select(Witnessed))]
        found.sort(key=lambda each: (each["witness"], each["origin"]))
        show(found, as_json=as_json, table=lambda: rows_table(COLUMNS, found))
    if any(each["differs_at"] is not None for each in found):
        raise typer.Exit(FOUND_WRONG)
    if silent:
        errors.print(
            f"jisr: no answer yet from {', '.join(silent)}; what is shown is older.", style="red", markup=False
        )
        raise typer.Exit(UNREACHABLE)


def _wait(prepared: Prepared, asked: dict[str, int], seconds: float) -> list[str]:
    """Those of whom the answer is still missing after so many seconds."""
    deadline = time.monotonic() + seconds
    database = sync_database(prepared)
    while True:
        with database.read() as session:
            silent = [peer for peer, number in asked.items() if _done(session, peer) < number]
        if not silent or time.monotonic() >= deadline:
            return silent
        time.sleep(LOOK_SECONDS)


def _done(session: Session, peer: str) -> int:
    row = session.get(WitnessRound, peer)
    return row.done if row else 0
