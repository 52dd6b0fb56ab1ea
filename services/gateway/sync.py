"""Operations of the sync service: links at any node; replicas, records and statistics at a directorate."""

from contracts import sync as contract
from contracts.roles import ADMIN, ANALYSIS, OPERATIONS, OPERATIONS_READ
from services.gateway.routes import DIRECTORATE, act, blueprint, get

LINK = "/links/<destination>"

routes = (
    get("/journal", "journal_status", contract.JournalQuery, contract.JournalView, OPERATIONS_READ,
        "Where this node's journal stands"),
    get("/links", "list_links", contract.LinkQuery, contract.LinkPage, OPERATIONS_READ | ADMIN,
        "The links out of this node"),
    act(f"{LINK}/pause", "pause_link", contract.LinkName, contract.LinkView, OPERATIONS | ADMIN,
        "Send nothing until resumed"),
    act(f"{LINK}/resume", "resume_link", contract.LinkName, contract.LinkView, OPERATIONS | ADMIN, "Send again"),
    get("/replicas", "list_replicas", contract.ReplicaQuery, contract.ReplicaPage, OPERATIONS_READ,
        "The verified copies that this node holds", at=DIRECTORATE),
    get("/replicas/<origin>/parked", "list_parked", contract.ParkedQuery, contract.ParkedPage, OPERATIONS | ADMIN,
        "Entries that could not become a record, with their causes"),
    get("/quarantine", "list_quarantine", contract.QuarantineQuery, contract.QuarantinePage, OPERATIONS | ADMIN,
        "Messages between nodes that were refused, with their causes"),
    get("/records", "list_records", contract.RecordQuery, contract.RecordPage, ANALYSIS,
        "Records as their origins disclosed them", at=DIRECTORATE),
    get("/statistics/cases", "case_statistics", contract.CaseStatisticsQuery, contract.CaseStatistics, ANALYSIS,
        "Counts of cases, and how far each can be trusted", at=DIRECTORATE),
)
operations = blueprint("sync", "Links and replicas; records and statistics at a directorate.", routes)
