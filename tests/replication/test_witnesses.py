"""Two directorates that were told different stories find it out; real engines, real brokers."""

from collections.abc import Callable
from typing import Any

from sqlmodel import select

from kernel.crypto import SigningKey
from services.sync import message, witness
from services.sync.replicas import Replicas
from services.sync.tables import Quarantine, Witnessed, WitnessRound
from services.sync.witnesses import ask
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, Node
from tests.replication.test_engine_bad_days import publish
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import Origin


def tell(node: Node, origin: Origin) -> None:
    """Put what `origin` told into the replica that a directorate holds."""
    replicas = Replicas(origin.name, "test", 2**21, lambda _: False)
    with node.database.write() as session:
        replicas.take(session, [origin.batch(0, len(origin.entries))], [], NOW)


def two_stories() -> tuple[Origin, Origin]:
    """Ninewa as it told Baghdad, and as it told Erbil: 40 entries and 30, the same up to 17."""
    first, second = Origin("ninewa"), Origin("ninewa")
    facts = [fact() for _ in range(40)]
    first.add(*facts)
    second.add(*facts[:17], *(fact() for _ in range(13)))
    return first, second


def found(node: Node, peer: str, origin: str) -> tuple[int, int | None] | None:
    with node.database.read() as session:
        row = session.get(Witnessed, (peer, origin))
    return None if row is None else (row.agreed, row.differs_at)


def asked(node: Node, peer: str) -> Callable[[], bool]:
    """Ask as an operator does; whether it was answered."""
    with node.database.write() as session:
        number = ask(session, peer)

    def answered() -> bool:
        with node.database.read() as session:
            row = session.get(WitnessRound, peer)
        return row is not None and row.done >= number

    return answered


def test_both_directorates_name_the_origin_and_the_first_number_that_differs(country: Country) -> None:
    baghdad, erbil = country[BAGHDAD], country[ERBIL]
    erbil.links[BAGHDAD] = baghdad.vhost.url  # one of the two dials, and that is enough
    erbil.write_settings()
    first, second = two_stories()
    duhok = Origin("duhok")
    duhok.add(*(fact() for _ in range(8)))
    tell(baghdad, first)
    tell(erbil, second)
    tell(baghdad, duhok)
    tell(erbil, duhok)
    country.start(BAGHDAD, ERBIL)
    for node, peer in ((baghdad, ERBIL), (erbil, BAGHDAD)):  # the first round is due at once
        wait.until(lambda node=node, peer=peer: found(node, peer, "ninewa"), seconds=60, what=f"{node.name} compared")  # type: ignore[misc]
        assert found(node, peer, "ninewa") == (17, 18)
        assert found(node, peer, "duhok") == (8, None)

    duhok.add(fact())
    tell(erbil, duhok)
    tell(baghdad, duhok)
    wait.until(asked(baghdad, ERBIL), seconds=60, what="Baghdad asked again")
    assert found(baghdad, ERBIL, "duhok") == (9, None)


def test_only_the_other_directorate_is_heard_as_a_witness(sqlite_country: Country) -> None:
    country = sqlite_country
    baghdad, erbil = country[BAGHDAD], country[ERBIL]
    tell(baghdad, two_stories()[0])
    country.start(BAGHDAD)

    def waiting() -> int:
        return baghdad.vhost.queue_lengths().get(f"jisr.down.{ERBIL}", 0)

    wait.until(lambda: waiting() == 1, seconds=60, what="Baghdad asked, and nobody answers")

    def refused() -> list[str]:
        with baghdad.database.read() as session:
            return [row.reason for row in session.exec(select(Quarantine))]

    def say(key: SigningKey, **how: Any) -> None:
        publish(baghdad.vhost, "jisr.up", f"up.{ERBIL}", *message.sign(witness.say(ERBIL, [], **how), key))

    for key in (SigningKey.new(), country["ninewa"].key):
        say(key, asks=True, question=1)
    wait.until(lambda: len(refused()) == 2, seconds=60, what="both were put aside")
    assert waiting() == 1  # no answer to a stranger
    say(erbil.key, asks=False, question=1)  # an answer to nothing that was asked
    say(erbil.key, asks=True, question=7)
    wait.until(lambda: waiting() == 2, seconds=60, what="the question is answered")
    with baghdad.database.read() as session:
        assert session.get(WitnessRound, ERBIL) is None
        assert session.exec(select(Witnessed)).all() == []
    assert len(refused()) == 2
