from datetime import date

import pytest

from contracts.case.requests import OpenCase
from contracts.forum.words import Founding
from contracts.gazetteer import districts
from deploy.demo import shape
from deploy.demo.plan import plan

TODAY = date(2026, 5, 4)
NODES = list(shape.FORUMS)


def test_the_same_seed_and_day_give_the_same_plan_and_another_seed_another() -> None:
    assert plan("ninewa", seed=1, today=TODAY) == plan("ninewa", seed=1, today=TODAY)
    assert plan("ninewa", seed=1, today=TODAY) != plan("ninewa", seed=2, today=TODAY)


def test_the_country_has_the_forums_that_were_counted_in_2017() -> None:
    forums = [forum for node in NODES for forum in plan(node, seed=7, today=TODAY).forums]
    assert len(forums) == 66
    assert sum(forum.founding is Founding.PROGRAMME for forum in forums) == 42
    assert sum(forum.founding is Founding.LOCAL for forum in forums) == 24
    assert len(plan("ninewa", seed=7, today=TODAY).forums) == 19
    assert {forum.established_on.year for forum in forums} == {2017}
    assert {forum.activated_on.year for forum in forums if forum.activated_on} == {2019}


@pytest.mark.parametrize("seed", range(5))
def test_many_forums_of_anbar_exist_on_paper_and_do_nothing(seed: int) -> None:
    silent = [forum for forum in plan("anbar", seed=seed, today=TODAY).forums if forum.activated_on is None]
    assert 2 <= len(silent) <= 8
    assert all(not forum.meetings and not forum.members for forum in silent)


@pytest.mark.parametrize("node", NODES)
def test_every_planned_case_is_one_that_the_case_service_would_take(node: str) -> None:
    sample = plan(node, seed=3, today=TODAY)
    own = {district.slug for district in districts(node)}
    assert sample.cases
    for case in sample.cases:
        OpenCase().load(case.opening)
        assert case.opening["district"] in own


def test_invented_people_have_telephone_numbers_that_no_operator_has() -> None:
    for case in plan("duhok", seed=3, today=TODAY).cases:
        assert all(party["phone"].startswith("+964700000") for party in case.opening["parties"])


def test_a_smaller_sample_begins_like_the_whole_one() -> None:
    whole, part = (plan("ninewa", seed=5, today=TODAY, size=size) for size in (1.0, 0.25))
    assert whole.cases[: len(part.cases)] == part.cases
    assert whole.forums[: len(part.forums)] == part.forums
    assert 0 < len(part.cases) < len(whole.cases)
