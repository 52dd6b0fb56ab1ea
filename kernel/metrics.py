"""Every Prometheus metric, each with its sentence. Labels are closed lists: services, nodes, routes, results.

No metric carries a value that comes from a record. A number that is not known has no sample; it is never zero.
"""

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OUTBOX_PENDING = Gauge("jisr_outbox_pending", "Facts committed by a service that the journal lacks.", ["service"])
OUTBOX_OLDEST = Gauge("jisr_outbox_oldest_seconds", "Age of the oldest fact in an outbox; 0 when empty.", ["service"])
JOURNAL_HEAD = Gauge("jisr_journal_head", "Number of the last entry in this node's journal.")
RECORDED = Counter(
    "jisr_recorded_facts_total", "Facts taken by the recorder, by service and result.", ["service", "result"]
)
LINK_HEAD = Gauge("jisr_link_head", "Number of the last entry that a link has to bring over.", ["destination"])
LINK_HELD = Gauge("jisr_link_held", "Number that the destination last said it holds.", ["destination"])
LINK_BEHIND = Gauge("jisr_link_behind_entries", "Entries that the destination does not hold yet.", ["destination"])
LINK_STATE = Gauge("jisr_link_state", "1 for the state that a link is in, 0 for the others.", ["destination", "state"])
LINK_HEARD = Gauge(
    "jisr_link_last_heard_timestamp_seconds",
    "When the destination last answered, Unix time.",
    ["destination"],
)
LINK_CERTIFICATE_EXPIRY = Gauge(
    "jisr_link_certificate_expiry_timestamp_seconds",
    "When the certificate of a link with a peer ends, Unix time: this node's own, or the one signed here for the peer.",
    ["peer"],
)
LINK_RESTORED = Counter(
    "jisr_link_restored_total",
    "Times a destination held less than it had said to this start of the engine, being restored; it was sent again.",
    ["destination"],
)
JOURNAL_EPOCH = Gauge("jisr_journal_epoch", "Which life of this node's journal this is; a recovery begins another.")
JOURNAL_DOUBT = Gauge(
    "jisr_journal_doubt",
    "1 while nothing is sent because this node's journal may not be the one it had, 0 otherwise, by state.",
    ["state"],
)
REPLICA_EPOCH = Gauge("jisr_replica_epoch", "Which life of an origin's journal its replica follows.", ["origin"])
BATCHES = Counter(
    "jisr_batches_total", "Batches by peer, direction (out, in) and result.", ["peer", "direction", "result"]
)
BATCH_BYTES = Counter(
    "jisr_batch_bytes_total",
    "Bytes of batches, by peer, direction and result.",
    ["peer", "direction", "result"],
)
REPEATS = Counter("jisr_repeats_total", "Batches that were already held, by origin.", ["origin"])
GAPS = Counter("jisr_gaps_total", "Batches that began after what is held, by origin.", ["origin"])
REPLICA_HELD = Gauge("jisr_replica_held", "Number that the replica of an origin stands at.", ["origin"])
REPLICA_FOLDED = Gauge("jisr_replica_folded", "Number up to which the records of an origin tell.", ["origin"])
REPLICA_STATE = Gauge(
    "jisr_replica_state", "1 for the state that a replica is in, 0 for the others.", ["origin", "state"]
)
REPLICA_BEHIND = Gauge(
    "jisr_replica_behind_entries",
    "Entries that an origin has and its replica lacks; no sample while the origin is silent.",
    ["origin"],
)
REPLICA_STALENESS = Gauge(
    "jisr_replica_staleness_seconds",
    "Seconds since an origin was last heard; no sample before the first word.",
    ["origin"],
)
QUARANTINED = Counter(
    "jisr_quarantined_total", "Messages refused and kept aside, by queue and reason.", ["queue", "reason"]
)
WITNESS_AGREED = Gauge(
    "jisr_witness_agreed_number",
    "Last number up to which another directorate was told the same by an origin.",
    ["witness", "origin"],
)
WITNESS_DIFFERS = Gauge(
    "jisr_witness_differs_number",
    "First number where another directorate was told another story by an origin; no sample when there is none.",
    ["witness", "origin"],
)
WITNESS_HEARD = Gauge(
    "jisr_witness_last_timestamp_seconds",
    "When another directorate last answered for every origin, Unix time.",
    ["witness"],
)
RELAYS = Counter(
    "jisr_relays_total",
    "Facts of one governorate for another, by what was done: relayed, arrived, unusable, acknowledged here at a "
    "directorate or destination; taken, repeated, differs where they arrive.",
    ["result"],
)
RELAYS_WAITING = Gauge("jisr_relays_waiting", "Facts for a governorate that this node has yet to relay or acknowledge.")
QUARANTINE = Gauge("jisr_quarantine_messages", "Refused messages kept aside that nobody discarded yet.", ["queue"])
PARKED = Gauge(
    "jisr_parked_subjects",
    "Subjects whose entries are held but could not be folded into a record.",
    ["origin"],
)
DEAD_LETTERS = Gauge("jisr_dead_letters", "Messages that could not be handled and wait for an operator.", ["queue"])
HANDLED = Counter(
    "jisr_handled_facts_total", "Facts handled by a subscription, by queue and result.", ["queue", "result"]
)
DOOR_SECONDS = Histogram(
    "jisr_door_seconds",
    "Duration of requests at a service's doors.",
    ["service", "door", "status"],
    buckets=SECONDS,
)
HTTP_SECONDS = Histogram(
    "jisr_http_request_seconds",
    "Duration of API requests by route.",
    ["route", "method", "status"],
    buckets=SECONDS,
)
RPC_SECONDS = Histogram(
    "jisr_rpc_seconds", "Duration of RPC calls, by method and result.", ["method", "result"], buckets=SECONDS
)
NOTIFICATIONS = Counter("jisr_notifications_total", "Notifications by channel and result.", ["channel", "result"])
NOTIFICATIONS_DEAD = Gauge("jisr_notifications_dead", "E-mails given up after every retry, waiting for an operator.")
DISK_ROOM = Gauge(
    "jisr_disk_room_bytes", "Bytes free in the fullest place that this node writes to, less what its reserve lacks."
)
DISK_STAGE = Gauge("jisr_disk_stage", "1 for the stage that the room on the disk is at, 0 for the others.", ["stage"])

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def probe(path: str, ready: Callable[[], dict[str, bool]]) -> tuple[int, str, bytes] | None:
    """The answer to `/metrics`, `/healthz` (alive) or `/readyz` (can serve): status, content type, body; else None.

    `ready` returns each part that serving needs and whether it answers.
    """
    if path == "/metrics":
        return 200, CONTENT_TYPE_LATEST, generate_latest()
    if path == "/healthz":
        return 200, "application/json", b'{"alive":true}'
    if path == "/readyz":
        parts = ready()
        shown = ",".join(f'"{name}":{str(answers).lower()}' for name, answers in sorted(parts.items()))
        return (200 if all(parts.values()) else 503), "application/json", f"{{{shown}}}".encode()
    return None


def wsgi_app(
    ready: Callable[[], dict[str, bool]],
) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """A WSGI application with nothing but the three probes, for a process that has no other HTTP door."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, content_type, body = probe(environ.get("PATH_INFO", ""), ready) or (
            404,
            "text/plain",
            b"not found",
        )
        reason = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}[status]
        start_response(f"{status} {reason}", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    return app
