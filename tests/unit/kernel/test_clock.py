"""The one clock, and how the fault tests let it jump."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kernel import clock
from kernel.crypto import SigningKey
from kernel.errors import NotAuthenticated
from kernel.identity import read_token, sign_token

HOUR = 3600


def ahead() -> float:
    return (clock.now() - datetime.now(UTC)).total_seconds()


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, 10 * 365 * 24 * HOUR])
def test_a_clock_jumps_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    shift = tmp_path / "shift"
    monkeypatch.setenv("JISR_CLOCK_SHIFT", str(shift))
    assert ahead() == pytest.approx(0, abs=5)
    shift.write_text(str(seconds))
    assert ahead() == pytest.approx(seconds, abs=5)
    shift.write_text("no number")
    assert ahead() == pytest.approx(0, abs=5)


def test_a_token_is_judged_by_the_clock_that_signed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shift, key = tmp_path / "shift", SigningKey.new()
    monkeypatch.setenv("JISR_CLOCK_SHIFT", str(shift))
    shift.write_text(str(HOUR))
    token = sign_token(key, {"sub": "somebody"}, audience="here", now=clock.now(), seconds=60)
    assert read_token(key.verify_key, token, audience="here")["sub"] == "somebody"
    shift.write_text("0")
    with pytest.raises(NotAuthenticated, match="not valid"):
        read_token(key.verify_key, token, audience="here")
    shift.write_text(str(HOUR + timedelta(minutes=2).total_seconds()))
    with pytest.raises(NotAuthenticated, match="expired"):
        read_token(key.verify_key, token, audience="here")
