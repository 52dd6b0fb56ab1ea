"""What all origins together have in memory is bounded, and something is left for whoever comes next."""

from hypothesis import given
from hypothesis import strategies as st

from services.sync.shares import Share, Shares

SIZES = st.integers(1, 400)


def take_all(share: Share) -> None:
    while share.take(1):
        pass


def test_one_alone_has_four_fifths() -> None:
    shares = Shares(500)
    alone = shares.share()
    assert alone.take(400)
    assert not alone.take(1)
    assert (alone.held, shares.left) == (400, 100)


def test_who_comes_later_gets_a_share_of_what_is_left() -> None:
    shares = Shares(900)
    first, second = shares.share(), shares.share()
    take_all(first)
    take_all(second)
    assert (first.held, second.held) == (720, 144)


def test_those_who_want_all_they_can_get_have_equal_shares() -> None:
    shares = Shares(32_500)
    some = [shares.share() for _ in range(16)]
    for _ in range(300):
        for share in some:
            share.take(10)
    assert all(abs(share.held - 2_000) <= 20 for share in some)
    assert abs(shares.left - 500) <= 20


def test_who_leaves_gives_its_share_back() -> None:
    shares = Shares(900)
    first, second = shares.share(), shares.share()
    take_all(first)
    assert not second.take(300)
    first.hold(0)
    assert second.take(300)


def test_one_that_is_stuck_stops_nobody() -> None:
    shares = Shares(900)
    stuck = shares.share()
    take_all(stuck)
    for _ in range(50):
        goes_on = shares.share()
        assert goes_on.take(140)
        goes_on.hold(0)


def test_what_came_without_being_asked_for_is_counted_and_leaves_less_to_others() -> None:
    shares = Shares(900)
    flooded, other = shares.share(), shares.share()
    flooded.hold(1_200)
    assert (shares.left, flooded.most, other.most) == (-300, 720, 0)
    assert not other.take(1)
    flooded.hold(300)
    assert other.most == 480


@given(
    total=st.integers(1, 1_000),
    steps=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["take", "give", "leave"]), SIZES), max_size=60),
)
def test_all_together_never_have_more_than_there_is(total: int, steps: list[tuple[int, str, int]]) -> None:
    shares = Shares(total)
    some = [shares.share() for _ in range(6)]
    for at, step, size in steps:
        share, most, held = some[at], some[at].most, some[at].held
        if step == "take":
            taken = share.take(size)
            assert taken == (held + size <= most)
            assert share.held == held + size * taken
            assert not taken or share.held <= 4 * shares.left  # as much is left as a quarter of what it has
        else:
            share.hold(0 if step == "leave" else max(0, held - size))
        assert sum(each.held for each in some) + shares.left == total
        assert shares.left >= 0
        assert shares.share().most == shares.left * 4 // 5
