"""Operations on what identifies people in cases: opened in an emergency, looked for. At a governorate.

Looking for a person is a POST: a name in an address would be written into the logs of every proxy on the way."""

from functools import partial

from contracts import case as contract
from contracts.roles import CASE_READ
from services.gateway import routes as route

act = partial(route.act, at=route.GOVERNORATE)

routes = (
    act(
        "/break-glass",
        "break_glass",
        contract.BreakGlass,
        contract.GlassView,
        CASE_READ,
        "Open the identity of one case for three hours, announced to its supervisor and the inspectorate",
    ),
    act(
        "/cases/search",
        "find_persons",
        contract.FindPersons,
        contract.PersonsFound,
        CASE_READ,
        "Persons by name or telephone number, in any script, in cases that you may identify",
    ),
    act(
        "/cases/<case_id>/same-persons",
        "same_persons",
        contract.SamePersons,
        contract.PersonsFound,
        CASE_READ,
        "Who of this case seems to be in others that you may identify",
    ),
)
operations = route.blueprint("identity", "What identifies people in cases. At a governorate.", routes, service="case")
