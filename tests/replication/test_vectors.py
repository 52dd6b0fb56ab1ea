"""The test vectors of docs/protocol.md: bytes that a second implementation must come to as well.

`python -m tests.replication.test_vectors` prints them anew; a change means another protocol.
"""

import base64
import io
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from kernel.crypto import OpeningKey, SigningKey, VerifyKey, context_of
from kernel.fact import Fact
from services.sync import bundle, relay, rotation, witness
from services.sync.disclosure import Disclosure, show
from services.sync.entry import Entry, Full, Shown, commitment, decode, encode, record
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
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEXT = SigningKey(bytes(range(64, 96)))
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
        (Hello(ORIGIN, 2, 8, "b8", chain[3], "jisr 0.2.0", parent=chain[2], begun=1), KEY),
        (witness.say("directorate-baghdad", [witness.Claim(ORIGIN, EPOCH, chain[3])], asks=True, question=5), RECEIVER),
    ]


def relayed() -> Fact:
    """The third entry, as the home directorate carries it on."""
    entry, chain = entries()[2], positions()
    full = Full(entry.head, entry.statistical, entry.salt, entry.operational, entry.sealed)
    original = relay.Original(ORIGIN, EPOCH, 3, chain[2].digest, chain[3].digest, full)
    return relay.issue(original, ["duhok"], FACTS[2].id, at=AT)


def relay_vector() -> dict[str, Any]:
    fact = relayed()
    return {
        "head": text(fact.head),
        "operational": text(fact.operational),
        "sealed": fact.sealed.hex(),
        "receipt": relay.receipt_of(FACTS[2].id),
    }


def rotation_vector() -> dict[str, Any]:
    said = json.loads(rotation.rotated(ORIGIN, KEY, NEXT, at=AT).statistical)
    return {"words": rotation.words(ORIGIN, KEY.verify_key, NEXT.verify_key).hex(), "statistical": said}


def bundle_vector() -> str:
    """A file with the one batch."""
    file = io.BytesIO()
    header = bundle.Header(ORIGIN, "directorate-baghdad", "operational", EPOCH, 0, 3, "2026-11-20T09:30:00Z", "jisr")
    bundle.write_header(file, header)
    said, key = messages()[1]
    bundle.write_frame(file, *sign(said, key))
    bundle.write_end(file)
    return base64.b64encode(file.getvalue()).decode()


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
                "signer": KEYS[key.key_id].node,
                "body": base64.b64encode(body).decode(),
                "headers": headers,
            }
            for said, key in messages()
            for body, headers in [sign(said, key)]
        ],
        "bundle": bundle_vector(),
        "relayed": relay_vector(),
        "rotated": rotation_vector(),
        "sealed": WRITTEN["sealed"],  # made once: sealing draws a key of its own each time
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


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
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


def test_what_is_sealed_in_the_vectors_opens_with_its_key_at_its_place() -> None:
    key = OpeningKey(bytes.fromhex(WRITTEN["sealed"]["private"]))
    opened = key.open(base64.b64decode(WRITTEN["sealed"]["sealed"]), context=context_of(*WRITTEN["sealed"]["context"]))
    assert opened.decode() == WRITTEN["sealed"]["content"]


def test_the_relayed_fact_of_the_vectors_holds_the_third_entry() -> None:
    written = WRITTEN["relayed"]
    one = Full(
        written["head"].encode(), b"{}", bytes(16), written["operational"].encode(), bytes.fromhex(written["sealed"])
    )
    original = relay.take_out(one)
    assert original.entry.leaf.hex() == WRITTEN["entries"][2]["leaf"]
    assert original.digest.hex() == WRITTEN["entries"][2]["digest"]
    fact_id = json.loads(WRITTEN["entries"][2]["head"])["id"]
    assert written["receipt"] == sha256(b"arrived/1" + fact_id.encode()).hexdigest()
    assert json.loads(written["head"])["id"] == sha256(b"relayed/1" + fact_id.encode()).hexdigest()[:32]


def test_the_rotation_of_the_vectors_is_signed_by_both_keys_over_the_words_of_the_document() -> None:
    said = WRITTEN["rotated"]["statistical"]
    words = b"jisr key/1" + (6).to_bytes(4, "big") + b"ninewa" + KEY.verify_key.raw + bytes.fromhex(said["key"])
    assert words.hex() == WRITTEN["rotated"]["words"]
    assert said["former"] == WRITTEN["keys"]["ninewa"]["id"]
    assert KEY.verify_key.verify(words, bytes.fromhex(said["by_former"]))
    assert VerifyKey(bytes.fromhex(said["key"])).verify(words, bytes.fromhex(said["by_itself"]))


def test_the_bundle_of_the_vectors_is_laid_out_as_the_document_says() -> None:
    raw = base64.b64decode(WRITTEN["bundle"])
    assert raw.startswith(b"jisr-bundle/1\n")
    at = len(b"jisr-bundle/1\n")
    length = int.from_bytes(raw[at : at + 4], "big")
    assert json.loads(raw[at + 4 : at + 4 + length])["until"] == 3
    at += 4 + length
    size = int.from_bytes(raw[at : at + 4], "big")
    key, signature, body = raw[at + 4 : at + 20], raw[at + 20 : at + 84], raw[at + 84 : at + 84 + size]
    assert {KEY_HEADER: key.decode(), SIGNATURE_HEADER: signature.hex()} == WRITTEN["messages"][1]["headers"]
    assert base64.b64encode(body).decode() == WRITTEN["messages"][1]["body"]
    assert raw[at + 84 + size :] == bytes(4)


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2, ensure_ascii=False))
