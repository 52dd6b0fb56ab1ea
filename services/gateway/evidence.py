"""Operations on evidence. At a governorate. A part is read by POST: why is free text about a case."""

from functools import partial

from contracts import roles
from contracts.case import evidence as contract
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

EVIDENCE = "/evidence/<evidence_id>"

routes = (
    make(
        "/cases/<case_id>/evidence",
        "begin_evidence",
        contract.BeginEvidence,
        contract.EvidenceView,
        roles.EVIDENCE,
        "Announce a file: type, size, SHA-256",
    ),
    get(
        "/cases/<case_id>/evidence",
        "list_evidence",
        contract.EvidenceQuery,
        contract.EvidencePage,
        roles.CASE_READ,
        "The files of a case, without what they show",
    ),
    act(
        f"{EVIDENCE}/parts",
        "add_part",
        contract.AddPart,
        contract.EvidenceView,
        roles.EVIDENCE,
        "One part of a file; with the last it is checked and kept, or refused",
    ),
    act(
        f"{EVIDENCE}/read",
        "read_evidence",
        contract.ReadEvidence,
        contract.PartView,
        roles.CASE_READ,
        "One part of a file, for those who may read identity in the case; noted in the audit log",
    ),
)
operations = route.blueprint("evidence", "Files of cases. At a governorate.", routes, service="case")
