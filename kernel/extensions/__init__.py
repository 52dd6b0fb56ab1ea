"""nameko, tamed: the doors, subscriptions, timers and dependencies that every service is made of.

The only package in the kernel that imports nameko. What it adds to the stock extensions, and why:

- `door`: one HTTP request, one transaction, one call. Checks size, JSON, caller, roles and shape before the
  transaction; stores the answer for its Idempotency-Key inside it; answers every error in one shape. nameko's own
  handler shows the text of unexpected errors.
- `subscription`: a quorum queue consumed with pika. A fact that cannot be handled is tried again a few times and then
  kept with the dead letters. nameko's own event handler acknowledges when the handler raises: the fact is gone.
- `Relay`, `Subscription` and `RpcClient` live through a broker that is away; nameko's own refuse to start without it.
"""

from kernel.extensions.dependencies import Database, Metrics, Node, Relay, container_config
from kernel.extensions.doors import Call, DoorShape, door, doors_of
from kernel.extensions.remote import RpcCaller, RpcClient, rpc
from kernel.extensions.subscriptions import subscription
from kernel.extensions.timers import every

__all__ = [
    "Call",
    "Database",
    "DoorShape",
    "Metrics",
    "Node",
    "Relay",
    "RpcCaller",
    "RpcClient",
    "container_config",
    "door",
    "doors_of",
    "every",
    "rpc",
    "subscription",
]
