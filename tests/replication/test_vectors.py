"""The test vectors of docs/protocol.md: bytes that a second implementation must come to as well.

`python -m tests.replication.test_vectors` prints them anew; a change means another protocol.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from kernel.crypto import SigningKey
from kernel.fact import Fact
from services.sync.disclosure import Disclosure, show
from services.sync.entry import Entry, Shown, commitment, decode, encode, record
from services.sync.message import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    Batch,
    Held,
    Hello,
    Message,
    open_message,
    ring,
    sign,
)
from services.sync.position import Position, advance, start

FILE = Path(__file__).with_name("vectors.json")
ORIGIN, EPOCH = "ninewa", 1
KEY = SigningKey(bytes(range(32)))
RECEIVER = SigningKey(bytes(range(32, 64)))
KEYS = ring({ORIGIN: KEY.verify_key, "directorate-baghdad": RECEIVER.verify_key})


def head(number: int, kind: str, subject: str, version: int, audience: str = "") -> bytes:
    """As the kernel writes it: sorted keys, no spaces."""
    known = f'"id":"0197a000-0000-7000-8000-00000000000{number}","subject":"{subject}"'
    return f'{{"audience":[{audience}],{known},"type":"{kind}","version":{version}}}'.encode()


FACTS = [
    Fact(
        head(1, "case.opened.v1", "s1", 1),
        b'{"category":"family_dispute","month":"2026-01"}',
        b'{"number":"NI-2026-000001-X"}',
    ),
    Fact(head(2, "forum.founded.v1", "f1", 1), '{"name":"منتدى"}'.encode()),
    Fact(
        head(3, "transfer.released.v1", "s1", 2, '"duhok"'),
        b"",
        b'{ "to" : "duhok" }',
        sealed=bytes(range(48)),
    ),
]
FORMS = [Disclosure.FULL, Disclosure.STATISTICAL, Disclosure.WITHHELD]


def entries() -> list[Entry]:
    return [record(n, fact, bytes([n]) * 16) for n, fact in enumerate(FACTS, 1)]


def positions() -> list[Position]:
    found = [start(ORIGIN, EPOCH)]
    for entry in entries():
        found.append(advance(found[-1], entry.leaf))
    return found


def messages() -> list[tuple[Message, SigningKey]]:
    chain = positions()
    plain = encode([show(entry, Disclosure.FULL) for entry in entries()])
    return [
        (Hello(ORIGIN, EPOCH, 7, "b7", chain[3], "jisr 0.1.0"), KEY),
        (Batch(ORIGIN, EPOCH, chain[0], chain[3], 3, "zstd", stored_frame(plain)), KEY),
        (Held(ORIGIN, EPOCH, chain[2], 2097152, "ok", "gap"), RECEIVER),
    ]


def stored_frame(data: bytes) -> bytes:
    """A zstd frame (RFC 8878) with one raw block: the same bytes from every implementation and version."""
    magic, single_segment_4_byte_size = b"\x28\xb5\x2f\xfd", b"\xa0"
    last_raw_block = (len(data) << 3 | 1).to_bytes(3, "little")
    return magic + single_segment_4_byte_size + len(data).to_bytes(4, "little") + last_raw_block + data


def text(data: bytes) -> str:
    return data.decode()


def vectors() -> dict[str, Any]:
    chain = positions()
    return {
        "origin": ORIGIN,
        "epoch": EPOCH,
        "digest_0": chain[0].hex,
        "entries": [
            {
                "number": entry.number,
                "head": text(entry.head),
                "statistical": text(entry.statistical),
                "salt": entry.salt.hex(),
                "operational": text(entry.operational),
                "sealed": entry.sealed.hex(),
                "commitment": commitment(entry.salt, entry.operational, entry.sealed).hex(),
                "leaf": entry.leaf.hex(),
                "digest": chain[entry.number].hex,
                "wire": {form.value: text(encode([show(entry, form)])) for form in FORMS},
            }
            for entry in entries()
        ],
        "keys": {
            "ninewa": {"private": bytes(range(32)).hex(), "public": KEY.verify_key.raw.hex(), "id": KEY.key_id},
            "directorate-baghdad": {
                "private": bytes(range(32, 64)).hex(),
                "public": RECEIVER.verify_key.raw.hex(),
                "id": RECEIVER.key_id,
            },
        },
        "messages": [
            {
                "kind": said.kind,
                "signer": KEYS[key.key_id][0],
                "body": base64.b64encode(body).decode(),
                "headers": headers,
            }
            for said, key in messages()
            for body, headers in [sign(said, key)]
        ],
    }


WRITTEN = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def test_every_vector_is_what_this_implementation_computes() -> None:
    assert vectors() == WRITTEN


def test_the_vectors_follow_the_formulas_of_the_document() -> None:
    """Written out again from docs/protocol.md with nothing but SHA-256, so that one mistake cannot hide in
    both.
    """

    def part(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    digest = sha256(b"jisr/1" + b"ninewa" + (1).to_bytes(8, "big")).digest()
    assert digest.hex() == WRITTEN["digest_0"]
    for one in WRITTEN["entries"]:
        operational, sealed = one["operational"].encode(), bytes.fromhex(one["sealed"])
        hidden = sha256(bytes.fromhex(one["salt"]) + part(operational) + part(sealed)).digest()
        commitment = hidden if operational or sealed else bytes(32)
        leaf = sha256(b"leaf/1" + part(one["head"].encode()) + part(one["statistical"].encode()) + commitment).digest()
        digest = sha256(digest + one["number"].to_bytes(8, "big") + leaf).digest()
        assert (commitment.hex(), leaf.hex(), digest.hex()) == (one["commitment"], one["leaf"], one["digest"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_form_of_a_vector_leads_to_its_leaf(number: int) -> None:
    written = WRITTEN["entries"][number]
    for wire in written["wire"].values():
        (shown,) = decode(wire.encode())
        assert shown.leaf.hex() == written["leaf"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_message_of_the_vectors_is_opened(number: int) -> None:
    written = WRITTEN["messages"][number]
    opened = open_message(base64.b64decode(written["body"]), written["headers"], KEYS)
    assert opened.message == messages()[number][0]
    assert opened.signer == written["signer"]
    assert set(written["headers"]) == {KEY_HEADER, SIGNATURE_HEADER}


def test_the_batch_of_the_vectors_leads_from_its_start_to_its_end() -> None:
    opened = open_message(base64.b64decode(WRITTEN["messages"][1]["body"]), WRITTEN["messages"][1]["headers"], KEYS)
    assert isinstance(opened.message, Batch)
    shown: list[Shown] = opened.message.entries()
    position = opened.message.start
    for one in shown:
        position = advance(position, one.leaf)
    assert position == opened.message.end


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2, ensure_ascii=False))
