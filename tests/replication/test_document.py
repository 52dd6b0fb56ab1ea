"""docs/protocol.md says what the code does: its states, fields and bounds."""

import re
from pathlib import Path

import pytest

from contracts.replication import ArrivedFact, RelayedFact
from contracts.sync import LinkState
from contracts.sync import ReplicaState as Status
from kernel.crypto import PADDED
from kernel.fact import MAX_ADDRESSED_BYTES, MAX_DEPTH, MAX_SEALED_BYTES
from services.sync import bundle, entry, link, message, pace, replica
from services.sync.disclosure import Clearance, Disclosure

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
FIELDS = {
    "hello": message.Hello.__slots__,
    "batch": [name for name in message.Batch.__slots__ if name != "payload"],
    "held": message.Held.__slots__,
    "witness": [name for name in message.Witness.__slots__ if name != "payload"],
    "recall": message.Recall.__slots__,
    "recalled": [name for name in message.Recalled.__slots__ if name != "payload"],
}
BOUNDS = [
    ("body of a message", [message.MAX_BODY]),
    ("header", [message.MAX_HEADER]),
    ("payload, opened", [message.MAX_PAYLOAD]),
    ("entries in a batch", [entry.MAX_ENTRIES]),
    ("one part of an entry", [entry.MAX_PART_BYTES]),
    ("nesting of a part", [MAX_DEPTH]),
    ("open parts of an entry with an audience", [MAX_ADDRESSED_BYTES]),
    ("window", [link.WINDOW]),
    ("batch, aimed at", [pace.LEAST_BATCH, pace.MOST_BATCH, pace.FIRST_BATCH]),
    ("batch on a limited link, or after drops", [pace.SMALLEST_BATCH]),
    ("hello and held", [link.HELLO_SECONDS, pace.LONGEST_WAIT]),
    ("no progress", [link.NO_PROGRESS_SECONDS]),
    ("waits", [pace.FIRST_WAIT, pace.LONGEST_WAIT]),
    ("silence", [replica.SILENT_AFTER.total_seconds()]),
]


@pytest.mark.parametrize("state", [*LinkState, *Status])
def test_every_state_has_a_row(state: str) -> None:
    assert f"| `{state}` |" in DOCUMENT


@pytest.mark.parametrize("word", [*Clearance, *Disclosure])
def test_every_clearance_and_disclosure_is_named(word: str) -> None:
    assert f"`{word}`" in DOCUMENT


@pytest.mark.parametrize("kind", FIELDS)
def test_every_header_field_stands_in_the_row_of_its_kind(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \| (?:sender|receiver|directorate|origin|holder) .*$", DOCUMENT, re.MULTILINE)
    missing = [name for name in FIELDS[kind] if f"`{name}`" not in row]
    assert missing == []


@pytest.mark.parametrize(("what", "values"), BOUNDS)
def test_every_bound_is_the_one_in_force(what: str, values: list[float]) -> None:
    (row,) = re.findall(rf"^\| {re.escape(what)} \| (.*) \|$", DOCUMENT, re.MULTILINE)
    assert [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", row)] == values


def test_a_bundle_is_laid_out_as_the_code_writes_it() -> None:
    chapter = DOCUMENT.partition("\n## 14. ")[2]
    assert f'"{bundle.MAGIC.decode().strip()}\\n"' in chapter
    assert f"key ({bundle.KEY_BYTES} bytes) ‖ signature ({bundle.SIGNATURE_BYTES} bytes)" in chapter
    assert [name for name in bundle.Header.__struct_fields__ if f"`{name}`" not in chapter] == []
    assert (f"{message.MAX_BODY:,}" in chapter, f"{message.MAX_HEADER:,}" in chapter) == (True, True)


def test_a_relay_is_laid_out_as_the_code_writes_it() -> None:
    chapter = DOCUMENT.partition("\n## 16. ")[2]
    fields = {**RelayedFact().fields, **ArrivedFact().fields}
    assert [name for name in fields if f"`{name}`" not in chapter] == []
    assert [size for size in (*PADDED, MAX_SEALED_BYTES, MAX_ADDRESSED_BYTES) if f"{size:,}" not in chapter] == []


def test_the_version_is_the_one_spoken() -> None:
    assert f'`"{message.VERSION}"`' in DOCUMENT
    assert f"`{message.KEY_HEADER}`" in DOCUMENT
    assert f"`{message.SIGNATURE_HEADER}`" in DOCUMENT
