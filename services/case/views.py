"""Rows to what the doors show. Most rows are dumped as they are; a case file is put together here."""

from datetime import datetime
from typing import Any

from contracts.case import Answer, CaseSummary, Category, HandlerRequestView, Language, PartnerView, Question, Sex
from kernel.paging import Page
from services.case import handlers
from services.case.handlers import CaseFile, Finds
from services.case.partners import Performance
from services.case.tables import HandlerOffer, HandlerRequest, Partner
from services.case.transfer.content import Whole

_STANDING = tuple(CaseSummary().fields)
_REQUEST = tuple(name for name in HandlerRequestView().fields if name != "offers")
_COMPUTED = ("status", "categories", "languages", "performance")
_ENTRY = tuple(name for name in PartnerView().fields if name not in _COMPUTED)
_WITHDRAWAL = ("informed", "withdrawal_asked_by", "withdrawal_alone", "withdrawal_pressure")


def case_file(file: CaseFile) -> dict[str, Any]:
    """A case with its intake and, where the caller may read it, identity."""
    return {
        **{name: getattr(file.case, name) for name in (*_STANDING, *_WITHDRAWAL)},
        "answers": {question.value: Answer(file.intake.answers[question]) for question in Question},
        "rule_version": file.intake.rule_version,
        "identity": file.identity,
    }


def listed(found: Page[Any]) -> dict[str, Any]:
    """A page of a list."""
    return {"items": found.items, "next": found.next}


def partner(row: Partner, past: Performance, *, now: datetime) -> dict[str, Any]:
    """An entry of the directory with how it stands today and what came of asking it."""
    shown = {name: getattr(row, name) for name in _ENTRY}
    return {
        **shown,
        "status": handlers.status_of(row, now),
        "categories": [Category(word) for word in row.categories],
        "languages": [Language(word) for word in row.languages],
        "performance": past,
    }


def finds(found: Finds) -> dict[str, Any]:
    """Persons who were found, each with their case."""
    items = [
        {
            **{name: getattr(find.case, name) for name in ("number", "status", "unit")},
            **{name: getattr(find.party, name) for name in ("role", "name", "sex", "birth_date")},
            "case_id": find.case.id,
            "party_id": find.party.id,
            "because": find.because,
        }
        for find in found.items
    ]
    return {"items": items, "more": found.more}


def handler_request(row: HandlerRequest, offers: list[HandlerOffer]) -> dict[str, Any]:
    """A request with who offered herself, as far as the caller may see it."""
    return {**{name: getattr(row, name) for name in _REQUEST}, "offers": offers}


def handled_case(row: HandlerRequest, whole: Whole) -> dict[str, Any]:
    """A case of another governorate, for the one it is open to."""
    parties = [
        {**{name: value for name, value in party.items() if name != "id"}, "sex": Sex(party["sex"])}
        for party in whole.parties
    ]
    return {
        "number": whole.standing["number"],
        "category": whole.standing["category"],
        "open_until": row.open_until,
        "parties": parties,
        "narrative": whole.narrative,
        "place": whole.place,
        "texts": whole.notes,
    }
