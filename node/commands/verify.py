"""`jisr verify`: prove that nothing at rest was altered."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.progress import Progress
from sqlalchemy import select
from sqlmodel import Session

from contracts.sync import Operation
from contracts.topology import NodeKind
from kernel.audit import verify_audit
from kernel.clock import now
from node.commands.databases import opened
from node.commands.link import operator, sync_database
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, errors, explained, rows_table, show
from node.processes import OWNERS, Prepared, prepare
from services.case import completeness, evidence_store
from services.sync import operations
from services.sync.tables import Record
from services.sync.verify import origins_held, verify_journal, verify_replica

MOST_NAMED = 20
COLUMNS = ["what", "origin", "ok", "entries", "records", "in_part", "altered", "repaired", "problem"]


Repair = Annotated[bool, typer.Option("--repair", help="Fold again the records that differ; never touches an entry.")]


def verify(repair: Repair = False, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Fold again this node's journal, every replica it holds, and every audit log; at a governorate look for cases that
    the journal or the gap-free numbers know of and the database does not, and for evidence that is not what it was.
    Exit code 1 names what was altered.

    With --repair, records that are not what the entries fold to are written anew; altered entries are only named.

    Example: jisr verify --settings directorate-baghdad.toml
    """
    with explained():
        prepared = prepare(settings)
        reports = look(prepared, quiet=as_json)
        if repair:
            reports = [mend(prepared, report) for report in reports]
        show(reports, as_json=as_json, table=lambda: rows_table(COLUMNS, reports))
    if not all(report["ok"] for report in reports):
        raise typer.Exit(FOUND_WRONG)


def look(prepared: Prepared, *, quiet: bool) -> list[dict[str, Any]]:
    """A report for the journal, for each replica and for each service's audit log."""
    node = prepared.node.id
    with (
        Progress(console=errors, transient=True, disable=quiet) as progress,
        sync_database(prepared).read(at_one_moment=True) as session,  # entries and records go on coming
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
        if prepared.node.kind is NodeKind.GOVERNORATE:
            reports.append(_cases(prepared, told(session, node)))
            reports.append(_evidence(prepared))
    return reports


def told(session: Session, node: str) -> Iterator[completeness.Told]:
    """The last that this node's journal tells of each case and each receipt."""
    own = select(Record).where(Record.origin == node, Record.kind.in_(("case", "receipt")))
    for record in session.scalars(own.execution_options(yield_per=500)):
        shown = (record.operational or {}).get("case_number")
        yield completeness.Told(record.kind, record.subject, record.version, record.number, shown)


def _cases(prepared: Prepared, known: Iterator[completeness.Told]) -> dict[str, Any]:
    with opened(prepared.settings, "case").read() as session:
        gone = list(completeness.missing(session, known))
    named = "; ".join(map(str, gone[:MOST_NAMED]))
    more = f"; and {len(gone) - MOST_NAMED} more" if len(gone) > MOST_NAMED else ""
    return {
        "what": "cases",
        "origin": prepared.node.id,
        "ok": not gone,
        "altered": next((each.entry for each in gone if each.entry is not None), None),
        "problem": named + more or None,
    }


def _evidence(prepared: Prepared) -> dict[str, Any]:
    """Needs no key: each file is named by the digest of what it holds."""
    with opened(prepared.settings, "case").read() as session:
        wrong = list(evidence_store.damaged(session, prepared.settings.home / "evidence"))
    named = ", ".join(f"{evidence} part {part}" for evidence, part in wrong[:MOST_NAMED])
    problem = f"missing or altered on disk: {named}" if wrong else None
    return {"what": "evidence", "origin": prepared.node.id, "ok": not wrong, "altered": None, "problem": problem}


def mend(prepared: Prepared, report: dict[str, Any]) -> dict[str, Any]:
    """The report after another look that folds again what differs: in one commit with the note that it was done."""
    verify_again = {"journal": verify_journal, "replica": verify_replica}.get(report["what"])
    if report["ok"] or verify_again is None:
        return report
    node = prepared.node.id
    with sync_database(prepared).write() as session:
        mended = verify_again(session, report["origin"], repair=True)
        if mended.repaired:
            operations.note(
                session,
                Operation.REPAIR_RECORDS,
                mended.origin,
                by=operator(node),
                now=now(),
                audience=operations.readers(prepared.topology, node),
                count=mended.repaired,
            )
    return {**asdict(mended), "ok": mended.ok}


def _audit(prepared: Prepared, service: str) -> dict[str, Any]:
    with opened(prepared.settings, service).read() as session:
        altered = verify_audit(session)
    problem = None if altered is None else "this line was altered, removed or put in"
    return {
        "what": f"audit log of {service}",
        "origin": prepared.node.id,
        "ok": altered is None,
        "altered": altered,
        "problem": problem,
    }
