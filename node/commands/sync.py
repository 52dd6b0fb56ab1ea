"""`jisr sync`: what a person decides when two histories of one journal were found."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.sync import Operation
from kernel.clock import now
from kernel.crypto import OpeningKey
from kernel.errors import BadInput
from node import handing_over
from node.commands.link import operator, sync_database
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, errors, explained, rows_table, show
from node.processes import Prepared, prepare
from node.recovering import Found, Recovering
from node.restoring import restore
from services.sync import doubt, mark, operations
from services.sync.journal import head
from services.sync.mark import Mark
from services.sync.recovery import Plan
from services.sync.setting_aside import set_aside
from services.sync.tables import JournalState

app = typer.Typer(no_args_is_help=True, help="Two histories of one journal: recover, keep, set aside.")
STEPS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
COPIES = ["source", "clearance", "held", "common"]
PLANNED = ["source", "after", "until", "lost", "renumbered"]
FETCHES = ["source", "after", "until"]
FORKS = ["source", "after", "held"]
RESTORED = ["case", "forum", "keys", "sealed_to_another"]
DONE = ["recovered", "in_part", "renumbered", "epoch", "head"]

Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the audit log.")]


@app.command("recover")
def recover(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the journal is rewritten.")] = False,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Do not ask this directorate, whose line is dead. Repeatable.")
    ] = None,
    recovery_key: Annotated[
        Path | None,
        typer.Option("--recovery-key", help="The private half of this node's recovery key: brings identities back."),
    ] = None,
    wait: Annotated[float, typer.Option("--wait", min=1, help="Seconds of patience with each answer.")] = 60.0,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Get back from the directorates what this node's journal lost. Needs the engine to run.

    What was recorded since gets new numbers after it. Interrupted, the same call goes on where it was. Exit code 0: one
    history again, or nothing to recover; 1: with --dry-run there is something to recover, otherwise a directorate must
    set something aside or a record is incomplete; 3: somebody did not answer.

    Example: jisr sync recover --dry-run --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        key = OpeningKey.load(recovery_key) if recovery_key else None
        recovering = Recovering(prepared, wait=wait, without=without or ())
        found = recovering.look()
        if found.plan is None or dry_run or not found.plan.needed:
            restored = restore(prepared, key) if key and not dry_run else None
            handed = None if dry_run else handing_over.hand_over(prepared)
            result = {**shown(found), "result": None, "restored": restored, "handed": handed}
            show(result, as_json=as_json, table=lambda: _tables(result))
            raise typer.Exit(FOUND_WRONG if found.plan is not None else 0)
        result = _recover(prepared, recovering, found, found.plan, key, yes=yes, as_json=as_json)
        show(result, as_json=as_json, table=lambda: _tables(result))
    if result["plan"]["forks"] or result["handed"]["incomplete"] or result["handed"]["renumbered"]:
        raise typer.Exit(FOUND_WRONG)


def _recover(
    prepared: Prepared,
    recovering: Recovering,
    found: Found,
    plan: Plan,
    key: OpeningKey | None,
    *,
    yes: bool,
    as_json: bool,
) -> dict[str, Any]:
    if not yes:
        if as_json:
            raise BadInput("Nobody can be asked with --json; add --yes, or --dry-run.")
        show(shown(found), as_json=False, table=lambda: _tables(shown(found)))
        typer.confirm("Rewrite the journal of this node?", abort=True, err=True)
    with Progress(*STEPS, console=errors, transient=True, disable=as_json) as progress:
        tasks = {each.source: progress.add_task(f"from {each.source}", total=each.count) for each in plan.fetches}

        def moved(source: str, count: int, total: int) -> None:
            progress.update(tasks[source], completed=count, total=total)

        recovering.fetch(plan, moved)
    done = recovering.apply(plan)
    result = {
        "recovered": done.recovered,
        "in_part": done.in_part,
        "renumbered": done.renumbered,
        "epoch": done.epoch,
        "head": done.head.number,
    }
    restored = restore(prepared, key) if key else None
    return {**shown(found), "result": result, "restored": restored, "handed": handing_over.hand_over(prepared)}


def shown(found: Found) -> dict[str, Any]:
    """What was found, as the command prints it."""
    copies = [
        {
            "source": copy.source,
            "clearance": copy.clearance.value,
            "held": copy.held.number,
            "common": copy.common,
        }
        for copy in found.copies
    ]
    if found.plan is None:
        return {"copies": copies, "plan": None}
    plan = found.plan
    return {
        "copies": copies,
        "plan": {
            "source": plan.source,
            "after": plan.after,
            "until": plan.until.number,
            "lost": plan.lost,
            "renumbered": plan.renumbered,
            "fetches": [{"source": each.source, "after": each.after, "until": each.until} for each in plan.fetches],
            "forks": [{"source": each.source, "after": each.after, "held": each.held} for each in plan.forks],
        },
    }


def _tables(result: dict[str, Any]) -> Group:
    parts: list[Any] = [rows_table(COPIES, result["copies"], title="who holds a copy, the same as here up to `common`")]
    plan = result["plan"]
    if plan is None:
        parts.append("nothing to recover: every copy is a part of this journal")
    else:
        parts.append(rows_table(PLANNED, [plan], title="entries that come back, and what gets new numbers after them"))
        parts.append(rows_table(FETCHES, plan["fetches"], title="fetched"))
        parts += [
            f"{fork['source']} holds another history after {fork['after']}. There: "
            f"jisr sync set-aside NODE --after {fork['after']} --reason …; then here: jisr link resume {fork['source']}"
            for fork in plan["forks"]
        ]
    if result.get("result"):
        parts.append(rows_table(DONE, [result["result"]], title="the journal now"))
    if result.get("restored"):
        parts.append(rows_table(RESTORED, [result["restored"]], title="rows that the recovery key brought back"))
    if result.get("handed"):
        parts.append(rows_table(list(handing_over.COLUMNS), [result["handed"]], title="records"))
    return Group(*parts)


@app.command("keep")
def keep(reason: Reason, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Go on with this journal as it is, although something spoke against it. The links send again.

    Only where nothing can be recovered: what a directorate holds beyond it will be found to have diverged.

    Example: jisr sync keep --reason "the disk with journal.mark belongs to another node" --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        node = prepared.node.id
        with sync_database(prepared).write() as session:
            found = doubt.read(session)
            if found is None:
                raise BadInput("Nothing speaks against the journal of this node.")
            doubt.clear(session)
            audience = operations.readers(prepared.topology, node)
            operations.note(
                session,
                Operation.KEEP_JOURNAL,
                node,
                by=operator(node),
                now=now(),
                audience=audience,
                reason=reason,
            )
            state = session.get_one(JournalState, 1)
            mark.write(prepared.settings.home, Mark(node, state.epoch, state.session, head(session, node)))
        kept = {"doubt": found.state.value, "reason": found.reason, "head": state.number}
        show(kept, as_json=as_json, table=lambda: rows_table(list(kept), [kept]))


@app.command("set-aside")
def set_aside_(
    origin: Annotated[str, typer.Argument(help="The node whose replica has diverged.")],
    after: Annotated[int, typer.Option("--after", min=0, help="Keep the entries up to this number.")],
    reason: Reason,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Set aside entries that a diverged replica holds and its origin has left. They are kept, not deleted.

    Example: jisr sync set-aside ninewa --after 640 --reason "recovered from Baghdad" --settings directorate-erbil.toml
    """
    with explained():
        prepared = prepare(settings)
        node = prepared.node.id
        with sync_database(prepared).write() as session:
            audience = operations.readers(prepared.topology, node)
            count = set_aside(session, origin, after, reason=reason, by=operator(node), now=now(), audience=audience)
        done = {"origin": origin, "after": after, "set_aside": count}
        show(done, as_json=as_json, table=lambda: rows_table(list(done), [done]))
