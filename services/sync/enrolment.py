"""The two papers that a link begins with: a governorate's request, and a directorate's answer.

They are carried by hand or by any mail: nothing in them is secret. Each is signed by the node that wrote it, and has a
fingerprint that two people compare by telephone, because a signature by a key that nobody knows yet proves only that
the paper is of one piece.

    {"document": "<JSON as text>", "key": "<base64>", "signature": "<hex>"}

The signature (Ed25519) is over the exact bytes of the document. Text that cannot be read, is too long or signed by
another than it says raises `BadPaper` and nothing else.
"""

import base64
import hashlib
from typing import Annotated, Literal, TypeVar

import msgspec

from kernel.crypto import KEY_BYTES, SigningKey, VerifyKey
from kernel.errors import BadInput

MAX_BYTES = 64 * 1024
GROUPS = 8  # of four hexadecimal digits: 128 bits, a minute on the telephone

Node = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,62}\Z")]
User = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,62}(\.[0-9]{1,4})?\Z", max_length=64)]
Pem = Annotated[str, msgspec.Meta(max_length=16 * 1024)]
Line = Annotated[str, msgspec.Meta(max_length=512)]


class BadPaper(BadInput):
    """This paper cannot be used: {reason}."""

    code = "bad_paper"


class Request(msgspec.Struct, frozen=True):
    """What a governorate brings: who it is, to whom, and its request for a certificate."""

    node: Node
    destination: Node
    request: Pem
    paper: Literal["request"] = "request"
    version: Literal[1] = 1


class Answer(msgspec.Struct, frozen=True):
    """What a directorate gives: the certificate, the authority to pin, and where and as whom to dial in."""

    node: Node
    directorate: Node
    user: User
    certificate: Pem
    ca: Pem
    broker: Line | None = None
    paper: Literal["answer"] = "answer"
    version: Literal[1] = 1


class _Signed(msgspec.Struct):
    document: str
    key: Annotated[str, msgspec.Meta(max_length=64)]
    signature: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}\Z")]


P = TypeVar("P", Request, Answer)


def write(paper: Request | Answer, key: SigningKey) -> bytes:
    """The paper, signed."""
    document = msgspec.json.encode(paper)
    signed = _Signed(document.decode(), base64.b64encode(key.verify_key.raw).decode(), key.sign(document).hex())
    return msgspec.json.format(msgspec.json.encode(signed)) + b"\n"


def read(content: bytes, kind: type[P]) -> tuple[P, VerifyKey]:
    """The paper and the key that signed it. Raises `BadPaper`."""
    if len(content) > MAX_BYTES:
        raise BadPaper(reason=f"it has {len(content)} bytes; {MAX_BYTES} are accepted")
    try:
        signed = msgspec.json.decode(content, type=_Signed)
        raw = base64.b64decode(signed.key, validate=True)
        paper = msgspec.json.decode(signed.document, type=kind)
        if len(raw) != KEY_BYTES:
            raise BadPaper(reason="its key is not a signing key")
        key = VerifyKey(raw)
    except (ValueError, RecursionError) as error:
        wanted = "a request made by jisr enrol" if kind is Request else "an answer made by jisr admit"
        raise BadPaper(reason=f"it is not {wanted}") from error
    if not key.verify(signed.document.encode(), bytes.fromhex(signed.signature)):
        raise BadPaper(reason="it was changed after it was signed")
    return paper, key


def fingerprint(content: bytes) -> str:
    """What two people compare: eight groups of four, over document and key."""
    signed = msgspec.json.decode(content, type=_Signed)
    digest = hashlib.sha256(signed.key.encode() + b"\n" + signed.document.encode()).hexdigest()
    return "-".join(digest[at : at + 4] for at in range(0, GROUPS * 4, 4))


def same(one: str, other: str) -> bool:
    """Whether two fingerprints are the same, however they were written down."""
    return _digits(one) == _digits(other) != ""


def _digits(text: str) -> str:
    return "".join(each for each in text.lower() if each in "0123456789abcdef")
