"""The state machines of forums, meetings, concerns and actions, searched by property."""

from enum import StrEnum
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.forum import ActionStatus, ConcernStatus, ForumStatus, MeetingStatus
from kernel.errors import MoveRefused
from services.forum import model

MACHINES = (ForumStatus, MeetingStatus, ConcernStatus, ActionStatus)
FINAL = {
    ForumStatus.CLOSED,
    MeetingStatus.HELD,
    MeetingStatus.NO_QUORUM,
    MeetingStatus.CANCELLED,
    ConcernStatus.SATISFIED,
    ConcernStatus.UNSATISFIED,
    ActionStatus.VERIFIED,
    ActionStatus.DROPPED,
}

machines = st.sampled_from(MACHINES)
pairs = machines.flatmap(lambda words: st.tuples(st.sampled_from(list(words)), st.sampled_from(list(words))))


def walks(words: type[StrEnum], first: StrEnum) -> st.SearchStrategy[list[StrEnum]]:
    """Sequences of states somebody may ask for, sensible or not."""
    return st.lists(st.sampled_from(list(words)), max_size=30).map(lambda asked: [first, *asked])


def follow(walk: list[StrEnum]) -> list[StrEnum]:
    """The states that a record really goes through when asked for all of these."""
    passed = [walk[0]]
    for target in walk[1:]:
        try:
            passed.append(model.move(passed[-1], target))
        except MoveRefused:
            continue
    return passed


@pytest.mark.parametrize("words", MACHINES)
def test_every_state_has_its_line_in_the_table(words: type[StrEnum]) -> None:
    _, moves = model.MOVES[words]
    assert set(moves) == set(words)


@pytest.mark.parametrize("words", MACHINES)
def test_every_state_can_be_reached_from_the_first(words: type[StrEnum]) -> None:
    _, moves = model.MOVES[words]
    reached = {next(iter(words))}
    for _ in words:
        reached |= {target for state in reached for target in moves[state]}
    assert reached == set(words)


@pytest.mark.parametrize("words", MACHINES)
def test_what_is_final_is_final_and_nothing_else(words: type[StrEnum]) -> None:
    _, moves = model.MOVES[words]
    assert {state for state in words if not moves[state]} == FINAL & set(words)


@given(pairs)
def test_a_move_gives_the_target_or_says_what_is_possible(pair: tuple[StrEnum, StrEnum]) -> None:
    current, target = pair
    subject, moves = model.MOVES[type(current)]
    if target in moves[current]:
        assert model.move(current, target) is target
        return
    with pytest.raises(MoveRefused) as refusal:
        model.move(current, target)
    assert refusal.value.details["subject"] == subject
    assert refusal.value.details["current"] == current.value
    assert refusal.value.details["target"] == target.value
    assert all(state.value in refusal.value.message for state in (current, target, *moves[current]))


@given(machines.flatmap(lambda words: walks(words, next(iter(words)))))
def test_nothing_leaves_a_final_state(walk: list[StrEnum]) -> None:
    passed = follow(walk)
    assert not FINAL & set(passed[:-1])


@given(walks(ActionStatus, ActionStatus.PROPOSED))
def test_an_action_is_verified_only_after_it_was_claimed(walk: list[StrEnum]) -> None:
    passed = follow(walk)
    for before, after in pairwise(passed):
        if after in (ActionStatus.VERIFIED, ActionStatus.NOT_VERIFIED):
            assert before is ActionStatus.DONE_CLAIMED


@given(walks(ForumStatus, ForumStatus.PROPOSED))
def test_a_forum_is_active_only_after_it_was_established(walk: list[StrEnum]) -> None:
    passed = follow(walk)
    if ForumStatus.ACTIVE in passed:
        assert passed[1] is ForumStatus.ESTABLISHED


@given(walks(ForumStatus, ForumStatus.PROPOSED))
def test_a_forum_is_at_risk_before_it_is_dormant(walk: list[StrEnum]) -> None:
    passed = follow(walk)
    for before, after in pairwise(passed):
        if after is ForumStatus.DORMANT:
            assert before is ForumStatus.AT_RISK


@given(walks(ConcernStatus, ConcernStatus.RAISED))
def test_a_concern_is_judged_only_after_an_answer(walk: list[StrEnum]) -> None:
    passed = follow(walk)
    if passed[-1] in (ConcernStatus.SATISFIED, ConcernStatus.UNSATISFIED):
        assert passed[-2] is ConcernStatus.ANSWERED
