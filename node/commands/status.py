"""`jisr status`: one look at a node."""

from typing import Any

import requests
import typer
from rich.console import Group

from contracts.work import ORDER
from kernel import outbox
from kernel.clock import now
from kernel.disk import disk_of, goes_on
from kernel.errors import BrokerAway, Unavailable
from kernel.settings import Settings
from node import enrolment
from node.commands import aside, dead, link
from node.commands.databases import opened
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, explained, rows_table, show
from node.processes import OWNERS, SERVICES, Prepared, prepare
from services.sync import views

PROBED = (*SERVICES, "engine", "gateway")
PROBE_SECONDS = 3
STOPPED_LINKS = ("unauthorised", "rolled_back", "diverged", "duplicate", "refused")


def status(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Show this node: processes, outboxes, journal, links, replicas, dead letters. Exit code 1 if a person is needed.

    Example: jisr status --settings ninewa.toml --json
    """
    with explained():
        found = look(prepare(settings))
        show(found, as_json=as_json, table=lambda: _tables(found))
    if found["needs_attention"]:
        raise typer.Exit(FOUND_WRONG)


def look(prepared: Prepared) -> dict[str, Any]:
    """Everything about the node that its own databases, broker and processes say; what cannot be had is null."""
    settings = prepared.settings
    processes = [{"process": name, "ready": ready(settings, name)} for name in PROBED]
    outboxes = [_outbox(settings, service) for service in OWNERS]
    try:
        letters: dict[str, int | None] | None = dead.counts(settings.broker)
    except BrokerAway:
        letters = None
    journal, links, replicas = _sync(prepared)
    attention = [f"{each['process']} is not ready" for each in processes if not each["ready"]]
    attention += [] if letters is not None else ["the broker cannot be reached"]
    attention += [f"{count} dead letters of {queue}" for queue, count in (letters or {}).items() if count]
    if journal["doubt"] is not None:
        attention.append(f"this journal is in doubt ({journal['doubt'].value}): {journal['doubt_reason']}")
    attention += [f"link to {each['destination']}: {each['state']}" for each in links if each["state"] in STOPPED_LINKS]
    attention += [
        f"replica of {each['origin']}: {each['state']}" for each in replicas if each["state"] in STOPPED_LINKS
    ]
    certificates = enrolment.certificates(prepared)
    attention += [
        f"certificate of the link with {each['peer']}: {each['state'].replace('_', ' ')}"
        for each in certificates
        if each["state"] not in ("valid", "revoked")
    ]
    attention += [f"{each['parked']} parked subjects of {each['origin']}" for each in replicas if each["parked"]]
    attention += aside.attention(prepared)
    attention += [
        f"{told['witness']} was told another story by {each['origin']} from number {told['differs_at']} on"
        for each in replicas
        for told in each["witnesses"]
        if told["differs_at"] is not None
    ]
    disk = _disk(settings)
    attention += [f"the disk is {disk['stage']}; stopped: {', '.join(disk['stopped'])}"] if disk["stopped"] else []
    return {
        "node": prepared.node.id,
        "processes": processes,
        "disk": disk,
        "outboxes": outboxes,
        "journal": journal,
        "links": links,
        "replicas": replicas,
        "certificates": certificates,
        "dead_letters": letters,
        "needs_attention": attention,
    }


def ready(settings: Settings, process: str) -> bool:
    """Whether a process of this node runs and says that it can serve."""
    # the address a process listens on may mean "all of this machine's"
    host = settings.gateway_host or settings.host if process == "gateway" else settings.host
    default = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{settings.port_of(process)}"  # noqa: S104
    try:
        return requests.get(f"{settings.urls.get(process, default)}/readyz", timeout=PROBE_SECONDS).ok
    except requests.RequestException:
        return False


def _disk(settings: Settings) -> dict[str, Any]:
    seen = disk_of(settings).look()
    stopped = [each.name for each in ORDER if not goes_on(each, seen.stage)]
    return {"stage": seen.stage.value, "room_bytes": seen.room, "stopped": stopped}


def _outbox(settings: Settings, service: str) -> dict[str, Any]:
    try:
        with opened(settings, service).read() as session:
            waiting = outbox.pending(session)
    except Unavailable:
        return {"service": service, "pending": None, "oldest_seconds": None}
    age = (now() - waiting.oldest_at).total_seconds() if waiting.oldest_at else None
    return {"service": service, "pending": waiting.count, "oldest_seconds": age}


def _sync(prepared: Prepared) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    origins = [spec.origin for spec in prepared.topology.links_to(prepared.node.id)]
    stale = prepared.settings.replication.stale_seconds
    with link.sync_database(prepared).read() as session:
        journal = views.journal_status(session, prepared.node.id)
        return journal, link.shown_links(prepared), views.replicas(session, origins, now=now(), stale=stale)


def _tables(found: dict[str, Any]) -> Group:
    letters = [{"queue": queue, "dead": count} for queue, count in (found["dead_letters"] or {}).items()]
    doubt = found["journal"]["doubt"]
    journal = {
        "epoch": found["journal"]["epoch"],
        "head": found["journal"]["head"]["number"],
        "doubt": doubt.value if doubt else None,
    }
    return Group(
        rows_table(["process", "ready"], found["processes"], title=f"node {found['node']}"),
        rows_table(["stage", "room_bytes"], [found["disk"]], title="disk"),
        rows_table(["service", "pending", "oldest_seconds"], found["outboxes"], title="outboxes"),
        rows_table(["epoch", "head", "doubt"], [journal], title="journal"),
        rows_table(link.COLUMNS, [link.row(each) for each in found["links"]], title="links out of this node"),
        rows_table(
            ["origin", "state", "epoch", "held", "head", "behind", "withheld", "parked", "last_heard_at"],
            [link.row(each) for each in found["replicas"]],
            title="replicas at this node",
        ),
        rows_table(
            ["peer", "user", "state", "expires_at", "days_left"], found["certificates"], title="certificates of links"
        ),
        rows_table(["queue", "dead"], letters, title="dead letters"),
        f"needs attention: {'; '.join(found['needs_attention']) or 'nothing'}",
    )
