"""Behind every operation there is a door that asks for the same roles, takes the same shape and shows the same view."""

import json
import subprocess
import sys
from typing import Any

import pytest

from contracts.notify import GATEWAY
from services.gateway import app
from services.gateway.routes import Route

OWN = ("login", "account")  # the gateway's own operations ask nobody
OF_OTHERS = ("forum", "notify", "sync")
NAMES = {module.__name__.rpartition(".")[2]: module for module in app.OPERATIONS}
ROUTES = [
    (name if name in OF_OTHERS else "case", route)
    for name, module in NAMES.items()
    for route in module.routes
    if name not in OWN
]
STRAIGHT = [(service, route) for service, route in ROUTES if route.does is None]

# In a process of its own: importing nameko imports eventlet.
LIST_DOORS = """
import importlib, inspect, json, warnings
warnings.simplefilter("ignore")
from kernel.extensions import doors_of
doors = {}
for service in ("forum", "case", "notify", "sync"):
    module = importlib.import_module(f"services.{service}.service")
    for _, found in inspect.getmembers(module, inspect.isclass):
        if getattr(found, "name", None) == service:
            doors[service] = {
                door.name: [door.schema.__name__, door.view.__name__, sorted(door.roles)] for door in doors_of(found)
            }
print(json.dumps(doors))
"""


@pytest.fixture(scope="module")
def doors() -> dict[str, dict[str, list[Any]]]:
    done = subprocess.run([sys.executable, "-c", LIST_DOORS], capture_output=True, text=True, check=True, timeout=120)
    listed: dict[str, dict[str, list[Any]]] = json.loads(done.stdout)
    return listed


@pytest.mark.parametrize(("service", "route"), STRAIGHT, ids=[route.name for _, route in STRAIGHT])
def test_an_operation_and_its_door_agree(doors: dict[str, dict[str, list[Any]]], service: str, route: Route) -> None:
    schema, view, roles = doors[service][route.door or route.name]
    assert (schema, view) == (route.takes.__name__, route.gives.__name__)
    assert roles == sorted(route.roles or ())


def test_every_door_has_an_operation_or_is_for_the_node_itself(doors: dict[str, dict[str, list[Any]]]) -> None:
    asked = {(service, route.door or route.name) for service, route in ROUTES}
    existing = {(service, name) for service, named in doors.items() for name in named}
    assert existing - asked == {("notify", "put_contact")}, f"only {GATEWAY} itself asks put_contact"
