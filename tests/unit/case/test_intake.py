"""The class of a case is a function of the seven answers and of nothing else."""

import hashlib
import inspect
import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Answer, Question, RecordingClass
from services.case.intake import ACTS, PRESENT_TABLE, TABLES, recording_class

GRAVITY = (Answer.NO, Answer.UNKNOWN, Answer.YES)
WEIGHT = (RecordingClass.NON_CRIME, RecordingClass.UNDETERMINED, RecordingClass.CRIME_INDICATED)

answers = st.fixed_dictionaries({question: st.sampled_from(Answer) for question in Question})


@given(answers)
def test_a_crime_is_indicated_exactly_when_one_of_the_acts_is_a_yes(given_answers: dict[Question, Answer]) -> None:
    act = any(given_answers[question] is Answer.YES for question in ACTS)
    assert (recording_class(given_answers) is RecordingClass.CRIME_INDICATED) == act


@given(answers)
def test_no_crime_is_recorded_only_when_every_answer_is_a_no(given_answers: dict[Question, Answer]) -> None:
    all_no = set(given_answers.values()) == {Answer.NO}
    assert (recording_class(given_answers) is RecordingClass.NON_CRIME) == all_no


@given(answers, st.sampled_from(Question), st.sampled_from(Answer))
def test_a_graver_answer_never_makes_the_class_lighter(
    given_answers: dict[Question, Answer], question: Question, other: Answer
) -> None:
    changed = {**given_answers, question: other}
    lighter, graver = sorted((given_answers, changed), key=lambda these: GRAVITY.index(these[question]))
    assert WEIGHT.index(recording_class(lighter)) <= WEIGHT.index(recording_class(graver))


@given(answers, st.randoms())
def test_the_class_does_not_depend_on_the_order_of_the_answers(
    given_answers: dict[Question, Answer], random: Random
) -> None:
    shuffled = list(given_answers.items())
    random.shuffle(shuffled)
    assert recording_class(dict(shuffled)) is recording_class(given_answers)


def test_the_class_is_computed_from_answers_and_table_alone() -> None:
    assert list(inspect.signature(recording_class).parameters) == ["answers", "table"]


def test_an_intake_without_all_answers_has_no_class() -> None:
    with pytest.raises(KeyError):
        recording_class({Question.FORCE: Answer.NO})


def test_a_table_that_was_used_is_never_edited() -> None:
    outcomes = [
        recording_class(dict(zip(Question, combination, strict=True)), table=1).value
        for combination in itertools.product(Answer, repeat=len(Question))
    ]
    digest = hashlib.sha256("\n".join(outcomes).encode()).hexdigest()
    used = "e462ca903ac3d9d040d212cc8b9674256eb26ba7fbdf775c7f5dce75b23ecddd"
    assert digest == used, "table 1 gives other classes than when it was used; make table 2"


def test_the_present_table_is_one_of_the_tables() -> None:
    assert PRESENT_TABLE in TABLES
