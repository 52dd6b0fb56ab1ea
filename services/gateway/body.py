"""A request body, bounded before it is believed: size, encoding, JSON, nesting, and an object at the top."""

import json
import re
from math import isfinite
from typing import Any, NoReturn

from kernel.errors import JisrError, MalformedRequest, TooLarge, refuse

MAX_BODY_BYTES = 1024 * 1024  # the longest narrative a form allows is some tens of KiB
MAX_INTEGER = 2**63 - 1  # what a database column and the other languages can hold
MAX_DEPTH = 16  # the deepest form nests four levels

# Strings (also one that never ends) and everything that is no bracket. Possessive, so that it stays linear.
_QUIET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^\[\]{}"]++', re.DOTALL)


class NotJson(JisrError):
    """The body must be JSON, with the header `Content-Type: application/json`."""

    code = "unsupported_media_type"
    status = 415


class TooDeep(MalformedRequest):
    """The body nests deeper than {limit} levels."""

    code = "nested_too_deeply"


def read_object(raw: bytes, *, mimetype: str, most: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The JSON object in `raw`; an empty body is an empty object.

    Raises TooLarge, NotJson, MalformedRequest or TooDeep.
    """
    if len(raw) > most:
        refuse(TooLarge, limit=most)
    if not raw:
        return {}
    if mimetype != "application/json":
        refuse(NotJson)
    if depth(raw) > MAX_DEPTH:
        refuse(TooDeep, limit=MAX_DEPTH)
    return _parsed(raw)


def depth(raw: bytes) -> int:
    """How deeply arrays and objects nest, found without building them."""
    deepest = level = 0
    for byte in _QUIET.sub(b"", raw):
        if byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
            object_pairs_hook=_unique_keys,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # refuses lone surrogates
    except UnicodeError:
        refuse(MalformedRequest, "The body is not valid UTF-8.")
    except json.JSONDecodeError as error:
        refuse(MalformedRequest, "The body is not valid JSON.", line=error.lineno, column=error.colno)
    except ValueError as error:
        refuse(MalformedRequest, f"The body is not acceptable JSON: {error}.")
    if not isinstance(value, dict):
        refuse(MalformedRequest, "The body must be a JSON object.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) < 20 else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        raise ValueError("a whole number has more than 63 bits")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a key twice")
    return value
