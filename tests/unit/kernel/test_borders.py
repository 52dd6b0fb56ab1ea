"""What guards the borders: text, errors, tokens, keys, the log."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from contracts.numbers import BAGHDAD
from kernel import log
from kernel.clock import now
from kernel.crypto import SigningKey, VerifyKey, hashed_id
from kernel.errors import Forbidden, MoveRefused, NotAuthenticated, NotFound, SettingsError, refuse
from kernel.identity import Actor, bearer, read_actor, read_token, require, sign_actor, sign_token
from kernel.schema import Day, Id, Instant, Strict, Text, c1

ACTOR = Actor("a1", "Amal", frozenset({"case_worker"}), "ninewa", unit="u1", forums=("f1",), language="ckb")


class Note(Strict):
    title = c1(Text(max=10, required=True))
    body = c1(Text(max=100, multiline=True))
    other = c1(Id())


@pytest.mark.parametrize("hostile", ["\u202eevil", "a\x00b", "\u2066x", "a\nb", "x" * 11, "   ", 7, None, ["a"]])
def test_hostile_or_unbounded_text_is_refused_with_its_place(hostile: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Note().load({"title": hostile})
    assert "title" in refused.value.normalized_messages()


def test_arabic_and_kurdish_text_with_joiners_and_line_breaks_is_kept() -> None:
    kept = Note().load({"title": " می\u200cخواهم ", "body": "سطر\nدوم"})
    assert kept == {"title": "می\u200cخواهم", "body": "سطر\nدوم"}


def test_an_unknown_field_is_refused_and_an_id_becomes_canonical_text() -> None:
    with pytest.raises(ValidationError):
        Note().load({"title": "t", "extra": 1})
    loaded = Note().load({"title": "t", "other": "0190E0B8-0000-7000-8000-000000000001"})
    assert loaded["other"] == "0190e0b8-0000-7000-8000-000000000001"


class Period(Strict):
    on = c1(Day())
    at = c1(Instant())


@pytest.mark.parametrize(
    "beyond",
    [
        {"on": "0001-01-01"},
        {"on": "1899-12-31"},
        {"on": "2200-01-01"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-14:00"},
        {"at": "2026-03-10T09:00:00"},
    ],
)
def test_a_time_that_nobody_means_is_refused_with_its_place(beyond: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Period().load(beyond)
    assert set(refused.value.normalized_messages()) == set(beyond)


@given(
    st.dates(date(1900, 1, 1), date(2199, 12, 31)),
    st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.timezones()),  # noqa: DTZ001
)
def test_a_time_in_these_centuries_is_taken_and_can_be_shown_anywhere(on: date, at: datetime) -> None:
    assume(at.utcoffset() is not None and at.utcoffset().seconds % 60 == 0)  # type: ignore[union-attr]
    loaded = Period().load({"on": on.isoformat(), "at": at.isoformat()})
    assert (loaded["on"], loaded["at"].astimezone(UTC)) == (on, at.astimezone(UTC))
    assert loaded["at"].astimezone(BAGHDAD)


def test_an_error_speaks_one_sentence_with_its_details() -> None:
    with pytest.raises(MoveRefused) as refused:
        refuse(MoveRefused, subject="case", current="closed", target="assigned", possible="confirmed, contested")
    assert refused.value.as_dict() == {
        "code": "move_refused",
        "message": "A case that is closed cannot become assigned; from closed it may become: confirmed, contested.",
        "details": {"subject": "case", "current": "closed", "target": "assigned", "possible": "confirmed, contested"},
    }


def test_refuse_stands_in_an_expression() -> None:
    with pytest.raises(NotFound):
        _ = None or refuse(NotFound)


def test_an_actor_travels_signed_and_only_within_its_node() -> None:
    key = SigningKey.new()
    token = sign_actor(key, ACTOR, now=now())
    assert read_actor(key.verify_key, token, node="ninewa") == ACTOR
    with pytest.raises(NotAuthenticated, match="another node"):
        read_actor(key.verify_key, token, node="duhok")
    with pytest.raises(NotAuthenticated, match="not valid"):
        read_actor(SigningKey.new().verify_key, token, node="ninewa")


def test_an_expired_token_says_so_and_one_for_another_audience_is_refused() -> None:
    key = SigningKey.new()
    old = sign_token(key, {"sub": "a1"}, audience="api", now=now() - timedelta(hours=1), seconds=60)
    with pytest.raises(NotAuthenticated, match="expired"):
        read_token(key.verify_key, old, audience="api")
    with pytest.raises(NotAuthenticated, match="not valid"):
        read_token(key.verify_key, sign_actor(key, ACTOR, now=now()), audience="api")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "Bearer  "])
def test_a_request_without_a_bearer_token_is_told_how_to_send_one(header: str | None) -> None:
    with pytest.raises(NotAuthenticated, match="Authorization: Bearer"):
        bearer(header)


def test_roles_are_required_by_name() -> None:
    require(ACTOR, "case_worker", "unit_supervisor")
    with pytest.raises(Forbidden) as refused:
        require(ACTOR, "unit_supervisor")
    assert refused.value.details == {"needs": ["unit_supervisor"]}


@given(st.binary(max_size=100), st.integers(0, 63))
def test_a_signature_holds_for_exactly_its_bytes(body: bytes, place: int) -> None:
    key = SigningKey.new()
    signature = key.sign(body)
    assert key.verify_key.verify(body, signature)
    assert not key.verify_key.verify(body + b"x", signature)
    changed = bytearray(signature)
    changed[place] ^= 1
    assert not key.verify_key.verify(body, bytes(changed))


def test_a_private_key_is_readable_by_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    key = SigningKey.new()
    key.save(tmp_path / "node.key")
    assert (tmp_path / "node.key").stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(tmp_path / "node.key").key_id == key.key_id
    with pytest.raises(SettingsError, match="never overwritten"):
        SigningKey.new().save(tmp_path / "node.key")


@pytest.mark.parametrize("text", ["", "not base64!", "c2hvcnQ="])
def test_a_key_file_that_holds_no_key_is_refused_naming_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.pub").write_text(text)
    with pytest.raises(SettingsError, match=r"node\.pub"):
        VerifyKey.load(tmp_path / "node.pub")


def test_a_hashed_id_names_a_person_to_the_holder_of_the_key_only() -> None:
    assert hashed_id(b"k" * 32, "a1") == hashed_id(b"k" * 32, "a1")
    assert hashed_id(b"k" * 32, "a1") != hashed_id(b"j" * 32, "a1")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    caplog.set_level(logging.DEBUG, logger="jisr")
    return lambda: list(caplog.records)


def line(record: logging.LogRecord) -> str:
    return log.JsonLines().format(record)


def test_a_marked_value_is_never_printed(lines: Callable[[], list[logging.LogRecord]]) -> None:
    log.get_logger("test").info("case.opened", number=3, who=log.Private("Amal"), details={"phone": "0770", "n": [1]})
    written = json.loads(line(lines()[0]))
    assert written["event"] == "case.opened"
    assert written["who"] == "[private]"
    assert written["details"] == {"phone": "[private]", "n": [1]}
    assert "Amal" not in line(lines()[0])


def test_the_text_of_an_unexpected_error_is_never_printed(lines: Callable[[], list[logging.LogRecord]]) -> None:
    try:
        raise ValueError("Amal of Sinjar said")
    except ValueError as error:
        log.get_logger("test").failure("door.failed", error)
        logging.getLogger("library").exception("failed on %s", "Amal of Sinjar")
    assert [json.loads(line(record))["error"] for record in lines()] == ["ValueError", "ValueError"]
    assert not any("Amal" in line(record) for record in lines())
