"""A case is cut into parts, put together again, and opened by whoever holds a key that it was sealed to."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from kernel.crypto import CannotOpen, OpeningKey
from kernel.settings import Settings
from services.case.post import post_of
from services.case.transfer import parts

TOPOLOGY = Path(__file__).parents[3] / "deploy" / "topology.toml"


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"{}\0x",
        b'{"epoch":0}\0x',
        b'{"epoch":2,"part":2,"parts":1,"digest":"x"}\0x',
        b'{"epoch":2,"part":1,"parts":2}\0x',
        b'{"epoch":2,"part":1,"parts":1,"size":1}\0x',
        b'{"epoch":2,"part":1,"parts":100000,"digest":"x"}\0x',
    ],
)
def test_what_is_no_part_is_refused(part: bytes) -> None:
    with pytest.raises(parts.ReleaseRefused):
        parts.read(part)


def test_a_whole_that_is_not_what_its_digest_says_is_refused() -> None:
    one, two = (parts.read(part) for part in parts.cut(2, bytes(range(20)), part_bytes=10))
    assert parts.joined(one[0], {1: one[1]}) is None
    assert parts.joined(one[0], {1: one[1], 2: two[1]}) == bytes(range(20))
    with pytest.raises(parts.ReleaseRefused):
        parts.joined(one[0], {1: one[1], 2: one[1]})


def test_the_largest_case_is_thirty_two_mebibytes_and_no_more() -> None:
    assert parts.PART_BYTES * parts.MOST_PARTS > 31 * 1024 * 1024
    with pytest.raises(Exception, match="can be released"):
        parts.cut(2, bytes(parts.MOST_PARTS + 1), part_bytes=1)


def test_a_node_opens_what_was_sealed_to_a_key_that_was_put_back_beside_its_present_one(tmp_path: Path) -> None:
    old, other = OpeningKey.new(), OpeningKey.new()
    OpeningKey.new().save(tmp_path / "seal.key")
    other.save(tmp_path / "other.key")
    other.sealing_key.save(tmp_path / "ninewa.seal.pub")
    here = SimpleNamespace(
        node="duhok",
        topology=TOPOLOGY,
        rules=None,
        keys_directory=tmp_path,
        peer_keys_directory=tmp_path,
    )
    sealed = old.sealing_key.seal(b"a part", context=b"here", sender=other)
    post = post_of(cast("Settings", here))
    with pytest.raises(CannotOpen):
        post.open(sealed, b"here", origin="ninewa")
    old.save(tmp_path / "seal-old.key")
    assert post.open(sealed, b"here", origin="ninewa") == b"a part"
