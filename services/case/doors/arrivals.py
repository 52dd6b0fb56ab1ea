"""What other nodes tell this service: by subscription, and asked for by number every half minute."""

from typing import Any

from kernel.extensions import Call, Node, RpcClient, every, subscription
from kernel.fact import Fact
from services.case import arriving, handlers


class ArrivalDoors:
    """Facts of other nodes that are meant for the case service of this one."""

    database: Any
    settings = Node()
    sync = RpcClient("sync")

    @subscription("case.arrivals", exchange="arrivals", keys=["partner.#"])
    def on_arrival(self, call: Call, fact: Fact) -> None:
        arriving.take_once(call.session, fact, call.source, takers(call.node))

    @every(seconds=30)
    def catch_up(self) -> None:
        arriving.catch_up(
            self.database,
            lambda after, limit: self.sync.call("facts_after", stream=arriving.STREAM, after=after, limit=limit),
            takers(self.settings.node),
        )


def takers(node: str) -> dict[str, arriving.Take]:
    """Who takes what, by the kind of the fact."""
    return {"partner": lambda session, fact, origin: handlers.take_partner(session, fact, origin=origin, node=node)}
