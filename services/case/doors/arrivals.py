"""What other nodes tell this service: by subscription, and asked for by number every half minute."""

from typing import Any

from sqlmodel import Session

from kernel.clock import now
from kernel.extensions import Call, Node, RpcClient, every, subscription
from kernel.fact import Fact
from kernel.settings import Settings
from services.case import arriving, handlers
from services.case.post import post_of


class ArrivalDoors:
    """Facts of other nodes that are meant for the case service of this one."""

    database: Any
    settings = Node()
    sync = RpcClient("sync")

    @subscription("case.arrivals", exchange="arrivals", keys=["partner.#", "transfer.#", "handler_request.#"])
    def on_arrival(self, call: Call, fact: Fact) -> None:
        arriving.take_once(call.session, fact, call.source, takers(call.settings))

    @every(seconds=30)
    def catch_up(self) -> None:
        arriving.catch_up(
            self.database,
            lambda after, limit: self.sync.call("facts_after", stream=arriving.STREAM, after=after, limit=limit),
            takers(self.settings),
        )


def takers(settings: Settings) -> dict[str, arriving.Take]:
    """Who takes what, by the kind of the fact."""

    def partner(session: Session, fact: Fact, origin: str) -> None:
        handlers.take_partner(session, fact, origin=origin, node=settings.node)

    def transfer(session: Session, fact: Fact, origin: str) -> None:
        handlers.take_transfer(session, fact, origin=origin, now=now(), post=post_of(settings))

    def request(session: Session, fact: Fact, origin: str) -> None:
        handlers.take_handler_request(session, fact, origin=origin, now=now(), post=post_of(settings))

    return {"partner": partner, "transfer": transfer, "handler_request": request}
