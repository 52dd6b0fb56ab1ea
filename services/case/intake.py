"""The rule table that computes the class of a case from the seven answers. Pure, versioned, and nothing else
decides.

The promise: `recording_class` is a function of the answers and the version of the table, of nothing else: not
of the category, not of who records, not of how the case ends. So whoever settles a case informally has no way
to make it count less. A table that was ever used is never edited; a better one gets the next number, and a
case keeps the number it was recorded under.

Version 1, first match from the top:

1. Any of force, threat, injury, weapon, money taken, images misused is a yes: a crime is indicated.
2. A child is involved: undetermined. That is no crime by itself, and too grave to be waved through as none.
3. Any question is unknown: undetermined. What nobody asked is not a no.
4. Otherwise: no crime.

These are working rules of ours, to be set by policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.case.words import Answer, Question, RecordingClass

Answers = Mapping[Question, Answer]


@dataclass(frozen=True)
class Rule:
    """If any of these questions has this answer, the case is of this class."""

    any_of: frozenset[Question]
    answered: Answer
    then: RecordingClass


ACTS: Final = frozenset(Question) - {Question.CHILD}

TABLES: Final[Mapping[int, tuple[Rule, ...]]] = {
    1: (
        Rule(ACTS, Answer.YES, RecordingClass.CRIME_INDICATED),
        Rule(frozenset({Question.CHILD}), Answer.YES, RecordingClass.UNDETERMINED),
        Rule(frozenset(Question), Answer.UNKNOWN, RecordingClass.UNDETERMINED),
    ),
}
PRESENT_TABLE: Final = 1


def recording_class(answers: Answers, table: int = PRESENT_TABLE) -> RecordingClass:
    """The class that these answers indicate by rule table `table`. KeyError if a question is not answered."""
    for rule in TABLES[table]:
        if any(answers[question] is rule.answered for question in rule.any_of):
            return rule.then
    return RecordingClass.NON_CRIME
