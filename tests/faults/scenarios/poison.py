"""Messages that no engine would send: forged, cut short, too large, impossible."""

from collections.abc import Callable

import pika
import zstandard

from kernel.crypto import SigningKey
from kernel.ids import new_id
from services.sync.entry import Withheld, encode
from services.sync.message import Batch, Hello, compress, sign
from services.sync.position import Position
from tests.faults.meddler import url_in_any_name
from tests.faults.scenarios.scenario import scenario
from tests.faults.stage import Stage
from tests.kit.small_country import GOVERNORATES

Poison = tuple[bytes, dict[str, str]]
MIB = 1024 * 1024
GIGABYTE = 1024  # MiB


def _publish(stage: Stage, destination: str, origin: str, poisons: list[Poison]) -> int:
    """Put messages into the queue of `origin` at `destination`, in its name; how many the broker took."""
    taken, url = 0, url_in_any_name(stage.country[destination].broker)
    user = stage.country.user_of(origin, destination)
    for body, headers in poisons:
        connection = pika.BlockingConnection(pika.URLParameters(url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            properties = pika.BasicProperties(headers=headers, user_id=user)
            channel.basic_publish("jisr.up", f"up.{origin}", body, properties, mandatory=True)
            taken += 1
        except (pika.exceptions.AMQPError, OSError) as error:
            stage.say(f"the broker did not take {len(body)} bytes: {type(error).__name__}")
        finally:
            if connection.is_open:
                connection.close()
    return taken


def _key(stage: Stage, node: str) -> SigningKey:
    return SigningKey.load(stage.country[node].home / "keys" / "node.key")


def _hello(origin: str, head: Position) -> Hello:
    return Hello(origin, 1, 1, new_id(), head, "jisr of a stranger")


def _garbage(stage: Stage, origin: str) -> Poison:
    return stage.dice.randbytes(stage.dice.randint(0, 5000)), {}


def _bad_signature(stage: Stage, origin: str) -> Poison:
    return sign(_hello(origin, stage.country[origin].head()), SigningKey.new())


def _truncated(stage: Stage, origin: str) -> Poison:
    body, headers = sign(_hello(origin, stage.country[origin].head()), _key(stage, origin))
    return body[: stage.dice.randrange(len(body))], headers


def _of_another_origin(stage: Stage, origin: str) -> Poison:
    other = next(name for name in GOVERNORATES if name != origin)
    return sign(_hello(other, stage.country[other].head()), _key(stage, other))


def _large(stage: Stage, origin: str) -> Poison:
    return bytes(12 * MIB), {}


UNSIGNED: tuple[Callable[[Stage, str], Poison], ...] = (_garbage, _bad_signature, _truncated, _of_another_origin)


@scenario(weight=4)
def unsigned_poison(stage: Stage) -> None:
    """Forged, truncated and strange messages: each is put aside, nobody is held responsible, nothing stops."""
    origin, destination = stage.link()
    kinds = [stage.dice.choice(UNSIGNED) for _ in range(stage.dice.randint(1, 6))]
    stage.say(f"poison for {destination} in the queue of {origin}: {', '.join(kind.__name__ for kind in kinds)}")
    taken = _publish(stage, destination, origin, [kind(stage, origin) for kind in kinds])
    stage.country.put_aside[destination, "quarantined"] += taken


@scenario(weight=1)
def enormous_message(stage: Stage) -> None:
    """A message of 200 MB, which the broker does not take, and one of 12 MiB, which the engine does not open."""
    origin, destination = stage.link()
    stage.say(f"200 MB and 12 MiB for {destination} in the queue of {origin}")
    taken = _publish(stage, destination, origin, [(bytes(200_000_000), {})])
    assert taken == 0, "the broker took 200 MB"
    stage.country.put_aside[destination, "quarantined"] += _publish(stage, destination, origin, [_large(stage, origin)])


def _impossible(stage: Stage, origin: str, epoch: int, held: Position) -> Batch:
    """Entries that do not lead where the origin says."""
    end = Position(held.number + 1, stage.dice.randbytes(32))
    return Batch(origin, epoch, held, end, 1, "zstd", compress(encode((Withheld(stage.dice.randbytes(32)),))))


def _bomb(_stage: Stage, origin: str, epoch: int, held: Position) -> Batch:
    """A gigabyte of nothing in a few kilobytes."""
    packing = zstandard.ZstdCompressor().compressobj(size=GIGABYTE * MIB)
    bomb = b"".join(packing.compress(bytes(MIB)) for _ in range(GIGABYTE)) + packing.flush()
    return Batch(origin, epoch, held, Position(held.number + 1, bytes(32)), 1, "zstd", bomb)


@scenario(weight=3)
def signed_poison(stage: Stage) -> None:
    """An origin signs what cannot be: it is stopped, says so everywhere, and goes on once an operator has looked."""
    origin, destination = stage.link()
    make = stage.dice.choice((_impossible, _bomb))
    line = stage.country.lines[origin, destination]
    line.cut()  # so that what is held stands still
    stage.country.let_pass(0.5)
    there = stage.country[destination]
    poison = make(stage, origin, there.epoch(origin), there.held(origin))
    stage.say(f"{make.__name__} for {destination}, signed by {origin}")
    taken = _publish(stage, destination, origin, [sign(poison, _key(stage, origin))])
    stage.country.put_aside[destination, "quarantined"] += taken
    line.heal()
    stage.replica_is(origin, destination, "refused")
    stage.link_has(origin, destination, "refused")
    there.jisr("link", "resume", origin)
