"""When parties may be brought together: pure, over every answer."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Answer, Category, Question
from contracts.case.mediation import Kept, MediationStatus, Screen
from services.case.mediating import GUARDED_IF, followed_up, is_guarded, screened

screens = st.fixed_dictionaries({name: st.sampled_from(Answer) for name in Screen().fields})
answers = st.fixed_dictionaries(
    {question.value: st.sampled_from([word.value for word in Answer]) for question in Question}
)


@given(screens)
def test_the_parties_meet_only_if_every_question_of_the_screen_is_a_no(screen: dict[str, Answer]) -> None:
    safe = set(screen.values()) == {Answer.NO}
    assert screened(screen) is (MediationStatus.SCREENED if safe else MediationStatus.UNSAFE)


@given(st.sampled_from(Category), answers, st.booleans())
def test_unknown_is_no_denial_and_a_minor_is_always_guarded(
    category: Category, answered: dict[str, str], minors: bool
) -> None:
    guarded = is_guarded(category, answered, minors=minors)
    if minors or category in (Category.SEXUAL_VIOLENCE, Category.TRAFFICKING_IN_PERSONS, Category.CHILD_PROTECTION):
        assert guarded
    elif category in GUARDED_IF:
        assert guarded == (answered[GUARDED_IF[category]] != Answer.NO)
    else:
        assert not guarded


@given(st.sampled_from(Kept), st.sampled_from(Answer), st.integers(0, 3))
def test_an_agreement_is_kept_only_after_a_second_follow_up_that_found_it_kept_and_safe(
    kept: Kept, still_safe: Answer, before: int
) -> None:
    status = followed_up(kept, still_safe, before)
    assert (status is MediationStatus.BREACHED) == (kept is Kept.BROKEN or still_safe is Answer.NO)
    assert status is not MediationStatus.KEPT or (before >= 1 and kept is Kept.KEPT)
