"""When parties may be brought together, and how a mediation goes. Pure.

The screen comes first; then each party agrees, asked without the others; then they meet. Where the law or the danger
forbids a bargain (`is_guarded`), mediation may stand beside another response and may not be the only one, unless
somebody from outside the unit approves it with the person's own wish."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from contracts.case.mediation import Kept, MediationStatus
from contracts.case.words import Answer, Category, Question
from services.case.model import Step, target_of

ALWAYS_GUARDED: Final = frozenset(
    {Category.SEXUAL_VIOLENCE, Category.TRAFFICKING_IN_PERSONS, Category.CHILD_PROTECTION}
)
GUARDED_IF: Final[Mapping[Category, Question]] = {
    Category.DOMESTIC_ABUSE: Question.INJURY,
    Category.ELECTRONIC_BLACKMAIL: Question.IMAGES_MISUSED,
}


class MediationMove(StrEnum):
    """What is done to a mediation; the values are the events of its facts."""

    SCREEN = "screened"
    APPROVE = "approved"
    HOLD = "held"
    FOLLOW_UP = "followed_up"
    BREACH = "breached"
    STOP = "stopped"


def _step(target: MediationStatus, *sources: MediationStatus) -> Step:
    return Step(frozenset(sources), target)


MOVES: Final[Mapping[MediationMove, Step]] = {
    MediationMove.SCREEN: _step(MediationStatus.SCREENED, MediationStatus.PROPOSED),
    MediationMove.APPROVE: _step(MediationStatus.SCREENED, MediationStatus.SCREENED),
    MediationMove.HOLD: _step(MediationStatus.AGREED, MediationStatus.SCREENED),
    MediationMove.FOLLOW_UP: _step(MediationStatus.AGREED, MediationStatus.AGREED),
    MediationMove.BREACH: _step(MediationStatus.BREACHED, MediationStatus.AGREED, MediationStatus.KEPT),
    MediationMove.STOP: _step(
        MediationStatus.STOPPED, MediationStatus.PROPOSED, MediationStatus.SCREENED, MediationStatus.UNSAFE
    ),
}
"""What may be done when. A screen, a meeting and a follow-up may also end otherwise (`screened`, `held`,
`followed_up`)."""


def moved(status: MediationStatus, move: MediationMove) -> MediationStatus:
    """The state after `move`, if all goes well. Raises `MoveRefused`."""
    return MediationStatus(target_of(MOVES, "mediation", status, move))


def screened(screen: Mapping[str, Answer]) -> MediationStatus:
    """Safe only if every question of the screen is a no: unknown is not a no."""
    safe = all(answer is Answer.NO for answer in screen.values())
    return MediationStatus.SCREENED if safe else MediationStatus.UNSAFE


def followed_up(kept: Kept, still_safe: Answer, held_before: int) -> MediationStatus:
    """What a follow-up makes of an agreement: broken, kept to the end with the second one, or still to be asked."""
    if kept is Kept.BROKEN or still_safe is Answer.NO:
        return MediationStatus.BREACHED
    return MediationStatus.KEPT if held_before and kept is Kept.KEPT else MediationStatus.AGREED


def is_guarded(category: Category, answers: Mapping[str, str], *, minors: bool) -> bool:
    """Whether mediation may not be the only response. `answers`: those of intake; unknown is not a no."""
    if minors or category in ALWAYS_GUARDED:
        return True
    question = GUARDED_IF.get(category)
    return question is not None and answers[question] != Answer.NO
