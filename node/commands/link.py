"""`jisr link`: the links out of this node."""

import getpass
from typing import Annotated, Any

import typer

from contracts.topology import LinkSpec
from kernel.clock import now
from kernel.database import Database
from kernel.identity import Actor
from node.commands.databases import opened
from node.commands.output import AsJson, SettingsFile, explained, rows_table, show
from node.processes import Prepared, prepare
from services.sync import handlers, operations, views

app = typer.Typer(no_args_is_help=True, help="Links out of this node.")
COLUMNS = ["destination", "clearance", "state", "reason", "head", "held", "behind", "last_heard_at"]

Destination = Annotated[str, typer.Argument(help="A node id, for example directorate-baghdad.")]


def sync_database(prepared: Prepared) -> Database:
    """The sync service's database of this node."""
    return opened(prepared.settings, "sync")


def operator(node: str) -> Actor:
    """Whoever runs the command, as the audit log names them."""
    return Actor(id=f"shell:{getpass.getuser()}", name=getpass.getuser(), roles=frozenset({"operator"}), node=node)


def shown_links(prepared: Prepared) -> list[dict[str, Any]]:
    """Every link out of this node, as the API shows it."""
    stale = prepared.settings.replication.stale_seconds
    specs = prepared.topology.links_from(prepared.node.id)
    with sync_database(prepared).read() as session:
        return views.links(session, specs, now=now(), stale=stale)


def row(link: dict[str, Any]) -> dict[str, Any]:
    """A link or replica as a line of a table; what nobody has told us is `unknown`, never zero."""
    lag = link["behind"]
    return {
        **link,
        "head": link["head"]["number"] if link["head"] else "unknown",
        "held": link["held"]["number"] if link["held"] else "unknown",
        "behind": f"{lag['entries']} ({lag['seconds']:.0f} s)" if lag["known"] else "unknown",
    }


@app.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """List the links: state, what the other side holds, how far it is behind.

    Example: jisr link list --settings ninewa.toml
    """
    with explained():
        links = shown_links(prepare(settings))
        show(links, as_json=as_json, table=lambda: rows_table(COLUMNS, [row(link) for link in links]))


@app.command("pause")
def pause(destination: Destination, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Stop sending on a link. What is recorded meanwhile waits in the journal.

    Example: jisr link pause directorate-baghdad --settings ninewa.toml
    """
    _act(handlers.pause_link, destination, settings, as_json)


@app.command("resume")
def resume(destination: Destination, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Send on a link again, after a pause or a refusal.

    Example: jisr link resume directorate-baghdad --settings ninewa.toml
    """
    _act(handlers.resume_link, destination, settings, as_json)


def _act(action: Any, destination: str, settings: SettingsFile, as_json: bool) -> None:
    with explained():
        prepared = prepare(settings)
        spec: LinkSpec = handlers.find_link(prepared.topology, prepared.node.id, destination)
        with sync_database(prepared).write() as session:
            audience = operations.readers(prepared.topology, prepared.node.id)
            link = action(session, spec, by=operator(prepared.node.id), now=now(), audience=audience)
            stale = prepared.settings.replication.stale_seconds
            shown = views.link(session, spec, link, now=now(), stale=stale)
        show(shown, as_json=as_json, table=lambda: rows_table(COLUMNS, [row(shown)]))
