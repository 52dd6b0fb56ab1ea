"""A request body is bounded before it is believed."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import MalformedRequest, TooLarge
from services.gateway.body import MAX_BODY_BYTES, MAX_DEPTH, NotJson, TooDeep, depth, read_object

JSON = "application/json"
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def nesting(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((nesting(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((nesting(item) for item in value), default=0)
    return 0


@given(values)
def test_depth_is_found_without_building_the_value(value: Any) -> None:
    assert depth(json.dumps(value).encode()) == nesting(value)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.integers(-9, 9)))
def test_an_object_is_read_as_it_was_sent(value: dict[str, int]) -> None:
    assert read_object(json.dumps(value).encode(), mimetype=JSON) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_an_object_or_refused(raw: bytes) -> None:
    with suppress(MalformedRequest):
        assert isinstance(read_object(raw, mimetype=JSON), dict)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        b'{"a": 9223372036854775808}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"{}garbage",
        b'{"a": "\n"}',
    ],
)
def test_what_is_no_plain_json_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_object(raw, mimetype=JSON)


def test_malformed_json_is_refused_with_its_place() -> None:
    with pytest.raises(MalformedRequest) as refused:
        read_object(b'{"a":\n  oops}', mimetype=JSON)
    assert refused.value.details == {"line": 2, "column": 3}


def test_nesting_is_bounded_before_anything_is_built() -> None:
    with pytest.raises(TooDeep):
        read_object(b'{"a":' + b"[" * 100_000, mimetype=JSON)
    read_object(b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1), mimetype=JSON)


def test_brackets_inside_text_do_not_count_as_nesting() -> None:
    assert read_object(json.dumps({"a": "[{" * 100 + '\\"'}).encode(), mimetype=JSON)


def test_a_string_that_never_ends_is_read_in_linear_time() -> None:
    with pytest.raises(MalformedRequest):
        read_object(b'{"a": "' + b'\\"' * 400_000, mimetype=JSON)


def test_an_oversized_body_is_refused_before_parsing() -> None:
    with pytest.raises(TooLarge):
        read_object(b" " * (MAX_BODY_BYTES + 1), mimetype=JSON)


def test_a_body_of_another_type_is_refused_and_an_empty_one_is_an_empty_object() -> None:
    with pytest.raises(NotJson):
        read_object(b"{}", mimetype="text/plain")
    assert read_object(b"", mimetype="") == {}
