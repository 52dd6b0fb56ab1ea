"""`jisr verify`: prove that nothing at rest was altered."""

from dataclasses import asdict
from typing import Any

import typer
from rich.progress import Progress

from kernel.audit import verify_audit
from kernel.database import Database
from node.commands.link import sync_database
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, errors, explained, rows_table, show
from node.processes import OWNERS, Prepared, prepare
from services.sync.verify import origins_held, verify_journal, verify_replica

COLUMNS = ["what", "origin", "ok", "entries", "records", "altered", "problem"]


def verify(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Fold again this node's journal, every replica it holds, and every audit log. Exit code 1 names what was altered.

    Example: jisr verify --settings directorate-baghdad.toml
    """
    with explained():
        reports = look(prepare(settings), quiet=as_json)
        show(reports, as_json=as_json, table=lambda: rows_table(COLUMNS, reports))
    if not all(report["ok"] for report in reports):
        raise typer.Exit(FOUND_WRONG)


def look(prepared: Prepared, *, quiet: bool) -> list[dict[str, Any]]:
    """A report for the journal, for each replica and for each service's audit log."""
    node = prepared.node.id
    with (
        Progress(console=errors, transient=True, disable=quiet) as progress,
        sync_database(prepared).read() as session,
    ):
        origins = origins_held(session)
        task = progress.add_task("journal", total=1 + len(origins) + len(OWNERS))
        found = [verify_journal(session, node)]
        for origin in origins:
            progress.update(task, advance=1, description=f"replica of {origin}")
            found.append(verify_replica(session, origin))
        reports = [{**asdict(report), "ok": report.ok} for report in found]
        for service in OWNERS:
            progress.update(task, advance=1, description=f"audit log of {service}")
            reports.append(_audit(prepared, service))
    return reports


def _audit(prepared: Prepared, service: str) -> dict[str, Any]:
    with Database(prepared.settings.database_url_of(service), service=service).read() as session:
        altered = verify_audit(session)
    problem = None if altered is None else "this line was altered, removed or put in"
    return {
        "what": f"audit log of {service}",
        "origin": prepared.node.id,
        "ok": altered is None,
        "altered": altered,
        "problem": problem,
    }
