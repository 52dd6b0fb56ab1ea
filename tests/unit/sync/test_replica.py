"""A replica grows only by what its origin's chain proves; everything else is answered, not applied."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.sync import ReplicaState as Status
from kernel.fact import Fact
from services.sync import replica
from services.sync.disclosure import Clearance
from services.sync.message import Batch, Hello
from services.sync.position import Position, start
from services.sync.replica import AT_ONCE, Apply, Gap, Refuse, Repeat, ReplicaState, Stopped, applied, begin, on_hello
from tests.replication.in_memory import HOME, Origin, entries_of, judge, with_entries

ORIGIN = Origin().write_all([Fact(b'{"id":"%d"}' % n, b"{}", b'{"n":%d}' % n) for n in range(10)])
LONG = 2 * AT_ONCE + 10
LONG_ORIGIN = Origin().write_all([Fact(b'{"id":"%d"}' % n, b"{}", b'{"n":%d}' % n) for n in range(LONG)])
OTHER_STORY = Origin().write_all([Fact(b'{"id":"%d"}' % n, b"{}", b'{"n":7}') for n in range(10)])


def batch(after: int, upto: int, origin: Origin = ORIGIN) -> Batch:
    return origin.batch(Clearance.OPERATIONAL, HOME, after, upto)


def holding(number: int, **other: object) -> ReplicaState:
    state = ReplicaState("ninewa", 1, ORIGIN.positions[number], session=3, boot="b3", state=Status.OK)
    return replace(state, **other)  # type: ignore[arg-type]


def hello(number: int, session: int = 3, epoch: int = 1, origin: Origin = ORIGIN) -> Hello:
    return Hello("ninewa", epoch, session, f"b{session}", origin.positions[number], "test")


# --- batches


def test_what_follows_is_applied_with_its_numbers_and_digests() -> None:
    verdict = judge(holding(4), batch(4, 7))
    assert isinstance(verdict, Apply)
    assert entries_of(verdict.contents) == ORIGIN.shown(Clearance.OPERATIONAL, HOME, 4, 7)
    kept = [(number, digest) for _, number, _, _, digest in verdict.contents.rows.plain]
    assert kept == [(position.number, position.digest) for position in ORIGIN.positions[5:8]]
    assert applied(holding(4), verdict) == holding(7)


def test_of_an_overlap_only_the_new_part_is_applied() -> None:
    verdict = judge(holding(4), batch(1, 7))
    assert isinstance(verdict, Apply)
    assert verdict.contents.after == ORIGIN.positions[4]
    assert entries_of(verdict.contents) == ORIGIN.shown(Clearance.OPERATIONAL, HOME, 4, 7)
    assert verdict.end == ORIGIN.positions[7]


def test_of_an_overlap_only_the_new_part_is_applied_wherever_it_is_cut() -> None:
    """A batch goes through in pieces: the cut may be at the end of one, or within it."""
    for known in (1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE, LONG - 1):
        verdict = judge(replace(holding(0), held=LONG_ORIGIN.positions[known]), batch(0, LONG, LONG_ORIGIN))
        assert isinstance(verdict, Apply)
        assert verdict.contents.after == LONG_ORIGIN.positions[known]
        assert entries_of(verdict.contents) == LONG_ORIGIN.shown(Clearance.OPERATIONAL, HOME, known, LONG)


@pytest.mark.parametrize(("after", "upto"), [(0, 4), (1, 3), (3, 4)])
def test_what_is_held_already_is_a_repeat(after: int, upto: int) -> None:
    assert judge(holding(4), batch(after, upto)) == Repeat()


def test_a_repeat_is_recognised_without_opening_it() -> None:
    assert judge(holding(4), replace(batch(1, 3), payload=b"not even zstd")) == Repeat()


def test_what_begins_later_is_a_gap() -> None:
    assert judge(holding(4), batch(5, 7)) == Gap()


@pytest.mark.parametrize(("after", "upto"), [(4, 6), (2, 6), (0, 4), (2, 4)])
def test_another_history_is_diverged_wherever_it_touches_what_is_held(after: int, upto: int) -> None:
    verdict = judge(holding(4), batch(after, upto, OTHER_STORY))
    assert isinstance(verdict, Refuse)
    assert verdict.state is Status.DIVERGED
    assert "4" in verdict.reason


def test_entries_that_do_not_lead_to_the_position_named_are_refused() -> None:
    shown = ORIGIN.shown(Clearance.OPERATIONAL, HOME, 5, 8)
    verdict = judge(holding(4), with_entries(batch(4, 7), shown))
    assert isinstance(verdict, Refuse)
    assert verdict.state is Status.REFUSED


def test_a_payload_that_cannot_be_opened_is_refused() -> None:
    verdict = judge(holding(4), replace(batch(4, 7), payload=b"no zstd"))
    assert isinstance(verdict, Refuse)
    assert verdict.state is Status.REFUSED


def test_a_payload_with_fewer_entries_than_counted_is_refused() -> None:
    fewer = replace(with_entries(batch(4, 7), ORIGIN.shown(Clearance.OPERATIONAL, HOME, 4, 6)), count=3)
    verdict = judge(holding(4), fewer)
    assert isinstance(verdict, Refuse)
    assert "holds 2" in verdict.reason


@pytest.mark.parametrize("word", [Status.REFUSED, Status.DIVERGED, Status.DUPLICATE])
def test_a_stopped_replica_takes_nothing_until_it_is_released(word: Status) -> None:
    stopped = replica.refuse(holding(4), word, "Because.")
    assert judge(stopped, batch(4, 7)) == Stopped()
    assert replica.answer(stopped).state == word
    assert isinstance(judge(replica.release(stopped), batch(4, 7)), Apply)


def test_a_first_batch_that_comes_before_any_hello_is_applied() -> None:
    verdict = judge(begin("ninewa", 1), batch(0, 3))
    assert isinstance(verdict, Apply)
    assert applied(begin("ninewa", 1), verdict).state is Status.OK


# --- hello


def test_a_first_hello_ends_the_silence() -> None:
    state, held = on_hello(begin("ninewa", 1), hello(0, session=9), window=5)
    assert (state.state, state.session, state.boot) == (Status.OK, 9, "b9")
    assert (held.held, held.window, held.state, held.reason) == (start("ninewa", 1), 5, "ok", "")


def test_a_hello_is_answered_with_what_is_held() -> None:
    _, held = on_hello(holding(4), hello(10))
    assert held.held == ORIGIN.positions[4]


def test_a_hello_with_another_digest_at_the_held_number_is_diverged() -> None:
    state, held = on_hello(holding(4), hello(4, origin=OTHER_STORY))
    assert state.state is Status.DIVERGED
    assert held.state == "diverged"
    assert on_hello(state, hello(4))[0].state is Status.DIVERGED, "a person decides"


def test_a_new_session_that_ends_before_what_is_held_is_suspected_of_a_rollback() -> None:
    state, held = on_hello(holding(4), hello(2, session=4))
    assert state.state is Status.ROLLED_BACK
    assert held.held == ORIGIN.positions[4], "what is held is never given up"
    assert on_hello(state, hello(3, session=4))[0].state is Status.ROLLED_BACK
    assert on_hello(state, hello(5, session=4))[0].state is Status.ROLLED_BACK, "writing on proves nothing"


def test_a_hello_overtaken_by_its_own_batches_accuses_nobody() -> None:
    assert on_hello(holding(4), hello(2, session=3))[0].state is Status.OK
    assert on_hello(holding(4), hello(2, session=2))[0].state is Status.OK


def test_a_batch_that_continues_from_here_refutes_the_suspicion() -> None:
    suspected, _ = on_hello(holding(4), hello(2, session=4))
    verdict = judge(suspected, batch(4, 7))
    assert isinstance(verdict, Apply)
    assert applied(suspected, verdict).state is Status.OK


def test_a_hello_with_the_very_position_held_refutes_it_too() -> None:
    suspected, _ = on_hello(holding(4), hello(2, session=4))
    assert on_hello(suspected, hello(4, session=4))[0].state is Status.OK


def test_an_older_session_does_not_replace_a_newer_one() -> None:
    state, _ = on_hello(holding(4), hello(4, session=2))
    assert (state.session, state.boot) == (3, "b3")


# --- epochs


def test_an_empty_replica_takes_the_epoch_it_is_told() -> None:
    state, held = on_hello(begin("ninewa", 1), hello(0, epoch=2))
    assert (state.epoch, state.held, held.epoch) == (2, start("ninewa", 2), 2)
    assert judge(begin("ninewa", 1), replace(batch(0, 3), epoch=2)) == Gap()


def test_a_later_epoch_of_a_held_journal_is_for_people_to_decide() -> None:
    state, held = on_hello(holding(4), hello(4, epoch=2))
    assert (state.state, state.epoch, held.held) == (Status.REFUSED, 1, ORIGIN.positions[4])


def test_a_batch_that_continues_from_here_is_proof_enough_of_a_later_life() -> None:
    verdict = judge(holding(4), replace(batch(4, 7), epoch=2))
    assert isinstance(verdict, Apply)
    assert applied(holding(4), verdict) == holding(7, epoch=2)
    other = judge(holding(4), replace(batch(4, 7, OTHER_STORY), epoch=2))
    assert isinstance(other, Refuse)
    assert other.state is Status.DIVERGED


def test_a_message_of_an_epoch_that_is_over_changes_nothing() -> None:
    later = holding(4, epoch=2)
    state, held = on_hello(later, hello(9, session=99))
    assert (state, held.epoch) == (later, 2)
    assert judge(later, batch(4, 7)) == Repeat()


# --- how far behind

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_lag_is_counted_from_fresh_word() -> None:
    assert replica.behind(12, 10, NOW - timedelta(seconds=30), NOW) == 2
    assert replica.behind(10, 10, NOW, NOW) == 0
    assert replica.behind(9, 10, NOW, NOW) == 0


@pytest.mark.parametrize(
    ("head", "heard_at"),
    [(None, NOW), (10, None), (10, NOW - timedelta(seconds=91)), (10, NOW + timedelta(hours=1))],
)
def test_silence_is_unknown_and_never_zero(head: int | None, heard_at: datetime | None) -> None:
    assert replica.behind(head, 10, heard_at, NOW) is None


def test_an_answer_carries_the_reason_for_a_gap() -> None:
    assert replica.answer(holding(4), reason=replica.GAP).reason == "gap"
    assert replica.answer(holding(4)).held == Position(4, ORIGIN.positions[4].digest)


# --- two machines


def test_two_starts_with_one_session_are_two_machines() -> None:
    state, held = on_hello(holding(4), replace(hello(6), boot="another"))
    assert (state.state, state.boot, held.state) == (Status.DUPLICATE, "b3", "duplicate")
    assert judge(state, batch(4, 7)) == Stopped()


def test_a_machine_that_speaks_although_it_was_told_of_a_later_one_is_another() -> None:
    late = hello(6, session=2)
    assert on_hello(holding(4), late)[0].state is Status.OK, "it may have come late"
    assert on_hello(holding(4), replace(late, told=3))[0].state is Status.DUPLICATE
    assert on_hello(holding(4), replace(late, told=2))[0].state is Status.OK, "no later one than itself"


def test_after_a_release_whoever_speaks_next_is_the_right_one() -> None:
    twins, _ = on_hello(holding(4), replace(hello(6), boot="another"))
    released = replica.release(twins)
    assert on_hello(released, replace(hello(6, session=2), told=3))[0].state is Status.OK
    assert on_hello(released, hello(6, session=8))[0].boot == "b8"


def test_an_answer_names_the_start_that_was_heard() -> None:
    held = replica.answer(holding(4))
    assert (held.session, held.boot) == (3, "b3")


# --- later lives


def life(parent: int, head: int = 9, origin: Origin = ORIGIN) -> Hello:
    return replace(hello(head, session=9, epoch=2, origin=origin), parent=origin.positions[parent])


@pytest.mark.parametrize("word", [Status.OK, Status.ROLLED_BACK, Status.DIVERGED, Status.DUPLICATE])
@pytest.mark.parametrize("parent", [4, 7])
def test_a_later_life_that_continues_from_what_is_held_is_followed(word: Status, parent: int) -> None:
    state, held = on_hello(holding(4, state=word, reason="Because."), life(parent))
    assert (state.epoch, state.state, state.held, state.session) == (2, Status.OK, ORIGIN.positions[4], 9)
    assert (held.epoch, held.state, held.reason) == (2, "ok", "")


def test_a_later_life_that_leaves_what_is_held_is_for_a_person_to_decide() -> None:
    state, held = on_hello(holding(4), life(2))
    assert (state.epoch, state.state, held.held) == (1, Status.DIVERGED, ORIGIN.positions[4])
    assert on_hello(holding(4), life(4, origin=OTHER_STORY))[0].state is Status.DIVERGED


def test_a_later_life_does_not_end_a_refusal() -> None:
    refused = replica.refuse(holding(4), Status.REFUSED, "Because.")
    assert on_hello(refused, life(4))[0].state is Status.REFUSED
    assert on_hello(refused, life(4))[0].epoch == 1


def test_an_empty_replica_begins_a_later_life_where_its_chain_began() -> None:
    state, _ = on_hello(begin("ninewa", 1), life(4))
    assert (state.epoch, state.begun, state.held) == (2, 1, start("ninewa", 1))
    out_of_a_bundle = replica.begin_with(replace(batch(0, 3), epoch=5))
    assert (out_of_a_bundle.epoch, out_of_a_bundle.begun) == (5, 1)
    assert isinstance(judge(out_of_a_bundle, replace(batch(0, 3), epoch=5)), Apply)


def test_an_origin_that_does_not_have_what_is_held_says_so() -> None:
    disowned = replace(hello(9), disowned=ORIGIN.positions[4])
    assert on_hello(holding(4), disowned)[0].state is Status.DIVERGED
    assert on_hello(holding(5), disowned)[0].state is Status.OK, "said of what was held before"
