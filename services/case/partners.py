"""Who may be asked, and whom to ask instead: vetting, fit and performance of partners. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Final

from contracts.case.partners import PartnerStatus
from contracts.case.words import Category, Destination, HandlerPreference, Language, ReferralStatus

SUGGESTED: Final = 5
S = ReferralStatus
_ACCEPTED: Final = frozenset({S.ACCEPTED, S.IN_SERVICE, S.COMPLETED, S.NOT_COMPLETED, S.OUTCOME_CONFIRMED})
_DONE: Final = frozenset({S.COMPLETED, S.OUTCOME_CONFIRMED})


@dataclass(frozen=True)
class Entry:
    """What decides whether a partner can be asked."""

    id: str
    destination: Destination
    categories: frozenset[Category]
    districts: frozenset[str]
    women_on_staff: bool
    languages: frozenset[Language]
    vetted_on: date | None
    expires_on: date | None
    suspended: bool


@dataclass(frozen=True)
class Need:
    """What a referral needs of a partner."""

    destination: Destination
    category: Category
    district: str
    preference: HandlerPreference
    language: Language


@dataclass(frozen=True)
class Answered:
    """One referral as it counts for its partner."""

    status: ReferralStatus
    sent_at: datetime
    due_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class Performance:
    """What came of the referrals that were sent to a partner."""

    sent: int = 0
    answered: int = 0
    answered_in_time: int = 0
    accepted: int = 0
    completed: int = 0
    expired: int = 0
    median_hours_to_answer: float | None = None


def status_on(day: date, *, vetted_on: date | None, expires_on: date | None, suspended: bool) -> PartnerStatus:
    """How a partner stands on `day`. The last day of its vetting still counts."""
    if suspended:
        return PartnerStatus.SUSPENDED
    if vetted_on is None or expires_on is None:
        return PartnerStatus.LISTED
    return PartnerStatus.VETTED if day <= expires_on else PartnerStatus.LAPSED


def takes(entry: Entry, need: Need) -> bool:
    """Whether the partner does this kind of thing, for this kind of case, there. An empty list is no limit."""
    return (
        entry.destination is need.destination
        and (not entry.categories or need.category in entry.categories)
        and (not entry.districts or need.district in entry.districts)
    )


def performance(referrals: Iterable[Answered]) -> Performance:
    """Counted from the referrals themselves; a referral that was revoked before an answer counts for nobody."""
    counted = [one for one in referrals if one.answered_at is not None or one.status is not S.REVOKED]
    waits = [(one.answered_at - one.sent_at).total_seconds() / 3600 for one in counted if one.answered_at is not None]
    return Performance(
        sent=len(counted),
        answered=len(waits),
        answered_in_time=sum(one.answered_at is not None and one.answered_at <= one.due_at for one in counted),
        accepted=sum(one.status in _ACCEPTED for one in counted),
        completed=sum(one.status in _DONE for one in counted),
        expired=sum(one.status is S.EXPIRED for one in counted),
        median_hours_to_answer=round(median(waits), 1) if waits else None,
    )


def suggested(
    entries: Sequence[tuple[Entry, Performance]], need: Need, *, on: date, without: Collection[str | None] = ()
) -> list[str]:
    """The partners to ask, best first: who can be asked `on` that day and takes it; women on staff where the person
    asked for a woman; then who speaks the language; then who answers more often, and sooner."""

    def usable(entry: Entry) -> bool:
        standing = status_on(on, vetted_on=entry.vetted_on, expires_on=entry.expires_on, suspended=entry.suspended)
        wanted = need.preference is not HandlerPreference.WOMAN or entry.women_on_staff
        return standing is PartnerStatus.VETTED and wanted and takes(entry, need) and entry.id not in without

    def rank(one: tuple[Entry, Performance]) -> tuple[bool, float, float, str]:
        entry, past = one
        share = past.answered / past.sent if past.sent else 0.5  # one that was never asked is neither good nor bad
        return need.language not in entry.languages, -share, past.median_hours_to_answer or 0.0, entry.id

    return [entry.id for entry, _ in sorted((one for one in entries if usable(one[0])), key=rank)][:SUGGESTED]
