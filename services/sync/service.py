"""The sync service's doors and its RPC. The engine is another process; the two share a database."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from contracts import roles
from contracts import sync as contract
from contracts import topology as topologies
from contracts.work import OPERATIONS
from kernel.errors import BadInput
from kernel.extensions import Call, Database, Metrics, Node, Relay, door, rpc
from services.sync import arrivals, handlers, journal, operations, put_aside, statistics, views

MOST_FACTS = 200
STREAMS = ("journal", arrivals.STREAM)


class SyncService:
    """Links, replicas, records and statistics of this node."""

    name = "sync"
    work = OPERATIONS
    database = Database()
    relay = Relay()
    metrics = Metrics()

    @door(contract.JournalQuery, view=contract.JournalView, roles=roles.OPERATIONS_READ, reads=True)
    def journal_status(self, call: Call) -> Any:
        """This node's own journal."""
        return views.journal_status(call.session, call.node)

    @door(contract.LinkQuery, view=contract.LinkPage, roles=roles.OPERATIONS_READ | roles.ADMIN, reads=True)
    def list_links(self, call: Call) -> Any:
        """The links out of this node."""
        specs = topology_of(call).links_from(call.node)
        return {"items": views.links(call.session, specs, now=call.now, stale=stale(call)), "next": None}

    @door(contract.LinkName, view=contract.LinkView, roles=roles.OPERATIONS | roles.ADMIN)
    def pause_link(self, call: Call) -> Any:
        """Stop sending on a link."""
        spec = handlers.find_link(topology_of(call), call.node, call.values["destination"])
        row = handlers.pause_link(call.session, spec, by=call.actor, now=call.now, audience=readers(call))
        return views.link(call.session, spec, row, now=call.now, stale=stale(call))

    @door(contract.LinkName, view=contract.LinkView, roles=roles.OPERATIONS | roles.ADMIN)
    def resume_link(self, call: Call) -> Any:
        """Send on a link again."""
        spec = handlers.find_link(topology_of(call), call.node, call.values["destination"])
        row = handlers.resume_link(call.session, spec, by=call.actor, now=call.now, audience=readers(call))
        return views.link(call.session, spec, row, now=call.now, stale=stale(call))

    @door(contract.ReplicaQuery, view=contract.ReplicaPage, roles=roles.OPERATIONS_READ, reads=True)
    def list_replicas(self, call: Call) -> Any:
        """The replicas that this node holds."""
        origins = [link.origin for link in topology_of(call).links_to(call.node)]
        return {"items": views.replicas(call.session, origins, now=call.now, stale=stale(call)), "next": None}

    @door(contract.QuarantineQuery, view=contract.QuarantinePage, roles=roles.OPERATIONS | roles.ADMIN, reads=True)
    def list_quarantine(self, call: Call) -> Any:
        """Messages between nodes that were refused here."""
        values = call.values
        return put_aside.quarantine_page(call.session, values["origin"], limit=values["limit"], after=values["after"])

    @door(contract.ParkedQuery, view=contract.ParkedPage, roles=roles.OPERATIONS | roles.ADMIN, reads=True)
    def list_parked(self, call: Call) -> Any:
        """Entries of one origin that could not become a record here."""
        values = call.values
        return put_aside.parked_page(call.session, values["origin"], limit=values["limit"], after=values["after"])

    @door(contract.RecordQuery, view=contract.RecordPage, roles=roles.ANALYSIS, reads=True)
    def list_records(self, call: Call) -> Any:
        """Records, a page at a time."""
        return views.records(call.session, call.values)

    @door(contract.CaseStatisticsQuery, view=contract.CaseStatistics, roles=roles.ANALYSIS, reads=True)
    def case_statistics(self, call: Call) -> Any:
        """Counts of cases and how far they can be trusted."""
        by = [contract.GroupBy(name) for name in call.values["by"].split(",")]
        return statistics.cases(
            call.session, by, node=call.node, origins=counted_origins(call), now=call.now, stale=stale(call)
        )


class SyncRpc:
    """What other services of this node ask on a timer, to fill in what the broker lost."""

    name = "sync"
    work = OPERATIONS
    database = Database()
    node = Node()

    @rpc
    def facts_after(self, stream: str, after: int, limit: int) -> dict[str, Any]:
        """Up to `limit` facts numbered after `after` in `journal` or `arrivals`, and the last number there is."""
        if stream not in STREAMS or not isinstance(after, int) or not isinstance(limit, int):
            raise BadInput(f"Ask for stream {' or '.join(STREAMS)}, after a number, with a limit.")
        after, limit = max(0, after), max(1, min(limit, MOST_FACTS))
        with self.database.read() as session:
            if stream == arrivals.STREAM:
                return arrivals.facts_from(session, after, limit)
            return journal.facts_from(session, self.node.node, after, limit)


def topology_of(call: Call) -> topologies.Topology:
    """The country, read once."""
    return _topology(call.settings.topology)


@lru_cache(maxsize=4)
def _topology(path: Path) -> topologies.Topology:
    return topologies.load(path)


def readers(call: Call) -> tuple[str, ...]:
    """Who reads of an operation done here."""
    return operations.readers(topology_of(call), call.node)


def stale(call: Call) -> float:
    """After how many seconds without word a lag is unknown."""
    return call.settings.replication.stale_seconds


def counted_origins(call: Call) -> list[str]:
    """At a directorate every governorate that links to it; elsewhere the node itself."""
    topology = topology_of(call)
    if topology.node(call.node).kind is topologies.NodeKind.DIRECTORATE:
        return [link.origin for link in topology.links_to(call.node)]
    return [call.node]
