"""The clock of activity, the quorum, what is overdue, and days and weeks as Baghdad counts them."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.forum import ActionStatus, ForumStatus, Sector, Sex
from contracts.rules import ForumRules
from services.forum import model

instants = st.datetimes(datetime(2017, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
rhythms = st.integers(7, 180)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
QUIET = (ForumStatus.ESTABLISHED, ForumStatus.AT_RISK, ForumStatus.DORMANT)


def test_a_monthly_forum_is_at_risk_after_60_days_and_dormant_after_120() -> None:
    met = datetime(2026, 1, 1, 15, tzinfo=UTC)
    times = model.clock(met, 30, ForumRules())
    assert (times.at_risk_at - met).days == 60
    assert (times.dormant_at - met).days == 120


def test_a_weekly_forum_is_at_risk_after_two_silent_weeks() -> None:
    met = datetime(2026, 1, 1, 15, tzinfo=UTC)
    assert model.clock(met, 7, ForumRules()).at_risk_at == met + timedelta(days=14)


@given(instants, rhythms)
def test_a_forum_may_always_miss_one_meeting_of_its_own_rhythm(met: datetime, rhythm: int) -> None:
    times = model.clock(met, rhythm, ForumRules())
    assert met + timedelta(days=rhythm) < times.at_risk_at < times.dormant_at


@given(instants, rhythms, st.timedeltas(timedelta(0), timedelta(days=2000)))
def test_silence_moves_an_active_forum_one_step_at_a_time(met: datetime, rhythm: int, silence: timedelta) -> None:
    times = model.clock(met, rhythm, ForumRules())
    now = met + silence
    first = model.after_silence(ForumStatus.ACTIVE, times.at_risk_at, times.dormant_at, now)
    second = model.after_silence(first, times.at_risk_at, times.dormant_at, now)
    assert first is (ForumStatus.AT_RISK if now >= times.at_risk_at else ForumStatus.ACTIVE)
    assert (second is ForumStatus.DORMANT) == (now >= times.dormant_at)
    assert model.after_silence(second, times.at_risk_at, times.dormant_at, now) is second


@given(st.sampled_from(list(ForumStatus)), instants)
def test_silence_means_nothing_to_a_forum_without_a_clock(status: ForumStatus, now: datetime) -> None:
    assert model.after_silence(status, None, None, now) is status


@given(st.sampled_from(QUIET), instants, rhythms, st.timedeltas(timedelta(0), timedelta(days=2000)))
def test_only_a_recent_activity_brings_a_quiet_forum_back(
    status: ForumStatus, happened: datetime, rhythm: int, entered_late_by: timedelta
) -> None:
    now = happened + entered_late_by
    times = model.clock(happened, rhythm, ForumRules())
    after = model.after_activity(status, times.at_risk_at, now)
    assert after is (ForumStatus.ACTIVE if now < times.at_risk_at else status)


@given(st.sampled_from([ForumStatus.PROPOSED, ForumStatus.ACTIVE, ForumStatus.CLOSED]), instants)
def test_an_activity_changes_no_other_forum(status: ForumStatus, now: datetime) -> None:
    assert model.after_activity(status, now + timedelta(days=1), now) is status


lines = st.lists(
    st.tuples(st.sampled_from(list(Sector)), st.sampled_from(list(Sex)), st.integers(0, 40)),
    unique_by=lambda line: line[:2],
).map(lambda found: [{"sector": sector, "sex": sex, "count": count} for sector, sex, count in found])
rules = st.fixed_dictionaries({"people": st.integers(1, 40), "sectors": st.integers(1, 7), "women": st.integers(0, 20)})


def test_a_quorum_needs_people_sectors_and_women() -> None:
    rule = {"people": 5, "sectors": 2, "women": 1}
    men = {"sector": Sector.POLICE, "sex": Sex.MALE, "count": 4}
    assert not model.quorum_met(rule, [men])
    assert not model.quorum_met(rule, [men, {"sector": Sector.YOUTH, "sex": Sex.MALE, "count": 3}])
    assert not model.quorum_met(rule, [{**men, "count": 9}, {"sector": Sector.POLICE, "sex": Sex.FEMALE, "count": 3}])
    assert model.quorum_met(rule, [men, {"sector": Sector.YOUTH, "sex": Sex.FEMALE, "count": 1}])


@given(rules, lines)
def test_nobody_coming_never_makes_a_quorum(rule: dict[str, int], came: list[dict[str, object]]) -> None:
    assert not model.quorum_met(rule, [])
    assert not model.quorum_met(rule, [{**line, "count": 0} for line in came])


@given(rules, lines, lines)
def test_more_people_never_undo_a_quorum(
    rule: dict[str, int], came: list[dict[str, object]], more: list[dict[str, object]]
) -> None:
    if model.quorum_met(rule, came):
        assert model.quorum_met(rule, [*came, *more])


@given(st.sampled_from(list(ActionStatus)), st.none() | days, days)
def test_only_what_is_owed_and_past_its_day_is_overdue(status: ActionStatus, due: date | None, today: date) -> None:
    owed = status in (ActionStatus.AGREED, ActionStatus.IN_PROGRESS, ActionStatus.NOT_VERIFIED)
    assert model.is_overdue(status, due, today) == (owed and due is not None and due < today)


def test_an_action_is_overdue_when_its_own_day_and_the_grace_are_past() -> None:
    due, last_day = date(2026, 3, 10), date(2026, 3, 13)
    rules = ForumRules(overdue_grace_days=3)
    late = [
        model.is_overdue(ActionStatus.AGREED, due, model.overdue_before(today, rules))
        for today in (due, last_day, last_day + timedelta(days=1))
    ]
    assert late == [False, False, True]


def test_another_rhythm_and_patience_can_be_set() -> None:
    met = datetime(2026, 1, 1, 15, tzinfo=UTC)
    times = model.clock(met, 90, ForumRules(rhythm_days=45, at_risk_days=50, dormant_days=70))
    assert (times.at_risk_at - met).days == 100
    assert (times.dormant_at - met).days == 140


def test_a_day_begins_in_baghdad_three_hours_before_utc() -> None:
    late_evening = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
    assert model.day_of(late_evening) == date(2026, 3, 2)
    assert model.beginning_of(date(2026, 3, 2)) == datetime(2026, 3, 1, 21, tzinfo=UTC)


@given(days)
def test_the_first_instant_of_a_day_is_in_that_day(day: date) -> None:
    first = model.beginning_of(day)
    assert model.day_of(first) == day
    assert model.day_of(first - timedelta(microseconds=1)) == day - timedelta(days=1)


def test_a_week_is_named_by_its_own_iso_year() -> None:
    assert model.week_of(date(2027, 1, 1)) == "2026-W53"
    assert model.week_of(date(2026, 1, 1)) == "2026-W01"
