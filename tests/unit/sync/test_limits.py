"""An operator's limits on a link: bytes a second, hours of the day."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.sync import LinkState
from services.sync.actions import SayHello, Send, Wait
from services.sync.link import OUTSIDE_HOURS, Link
from services.sync.message import Held
from services.sync.pace import BATCH_SECONDS, BURST_SECONDS, ENVELOPE_BYTES, SMALLEST_BATCH, Bucket
from services.sync.position import Position, start

RATE = 8 * 1024
HEAD = Position(1000, b"h" * 32)


@given(
    rate=st.integers(1024, 10**7),
    sent=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 10**6)), max_size=40),
)
def test_over_time_no_more_is_sent_than_the_rate_allows(rate: int, sent: list[tuple[float, int]]) -> None:
    bucket, now, total, last = Bucket(rate), 1000.0, 0, 0
    began = now
    for pause, nbytes in sent:
        now += pause
        now += bucket.wait(now)
        bucket.take(nbytes, now)
        last = nbytes + ENVELOPE_BYTES
        total += last
    allowed = rate * (BURST_SECONDS + now - began) + last  # the last batch is still owed
    assert total <= allowed * 1.000001 + 1


def test_without_a_limit_nothing_waits() -> None:
    bucket = Bucket(None)
    bucket.take(10**9, 1.0)
    assert (bucket.wait(1.0), bucket.batch(10**6)) == (0.0, 10**6)


def test_a_batch_is_cut_to_the_limit() -> None:
    assert Bucket(RATE).batch(10**6) == int(RATE * BATCH_SECONDS)
    assert Bucket(1024).batch(10**6) == SMALLEST_BATCH


def link(rate: int | None = None) -> Link:
    """A link whose other side holds nothing of a thousand entries yet."""
    made = Link("ninewa", "directorate-erbil", 1, HEAD, random=lambda: 0.0, rate=rate)
    made.on_connected(0.0)
    assert isinstance(made.plan(0.0), SayHello)
    made.on_hello_said(0.0)
    zero = start("ninewa", 1)
    made.on_held(Held("ninewa", 1, zero, 2**21, "ok", ""), lambda _: zero.digest, 0.0)
    return made


def test_a_limited_link_sends_no_faster_and_keeps_its_order() -> None:
    limited, now, total, place = link(RATE), 0.0, 0, 0
    while now < 20:
        action = limited.plan(now)
        if isinstance(action, Send):
            assert action.after.number == place
            nbytes, place = action.max_bytes, place + 1
            end = Position(place, bytes([place % 256]) * 32)
            assert limited.admit(action.after, nbytes)
            limited.on_sent(action.after, end, nbytes, now)
            total += nbytes
            limited.on_held(Held("ninewa", 1, end, 2**21, "ok", ""), lambda _, end=end: end.digest, now)  # type: ignore[misc]
        elif isinstance(action, SayHello):
            limited.on_hello_said(now)
        else:
            now += action.seconds
    assert 0.8 * RATE * 20 < total < RATE * (20 + BURST_SECONDS + 2 * BATCH_SECONDS)


def test_outside_its_hours_a_link_says_hello_and_sends_nothing() -> None:
    closed = link()
    assert isinstance(closed.plan(1.0), Send)
    closed.on_hours(3600.0, 1.0)
    assert isinstance(closed.plan(1.0), Wait)
    assert not closed.admit(start("ninewa", 1), 100)
    assert (closed.state, closed.reason) == (LinkState.WAITING, OUTSIDE_HOURS)
    assert isinstance(closed.plan(31.0), SayHello)
    closed.on_hello_said(31.0)
    closed.on_hours(0.0, 32.0)
    assert isinstance(closed.plan(32.0), Send)
    assert closed.state is LinkState.SENDING


def test_a_link_with_nothing_to_send_is_idle_at_any_hour() -> None:
    closed = link()
    closed.on_held(Held("ninewa", 1, HEAD, 2**21, "ok", ""), lambda _: HEAD.digest, 1.0)
    closed.on_hours(3600.0, 1.0)
    assert (closed.state, closed.reason) == (LinkState.IDLE, "")
