"""Rows to what the doors show. Most rows are dumped as they are; a case file is put together here."""

from typing import Any

from contracts.case import Answer, CaseSummary, Question
from kernel.paging import Page
from services.case.handlers import CaseFile

_STANDING = tuple(CaseSummary().fields)
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
