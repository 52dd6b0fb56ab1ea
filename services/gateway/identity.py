"""Operations on what identifies people in cases: opened in an emergency. At a governorate."""

from functools import partial

from contracts import case as contract
from contracts.roles import CASE_READ
from services.gateway import routes as route

act = partial(route.act, at=route.GOVERNORATE)

routes = (
    act("/break-glass", "break_glass", contract.BreakGlass, contract.GlassView, CASE_READ,
        "Open the identity of one case for three hours, announced to its supervisor and the inspectorate"),
)
operations = route.blueprint("identity", "What identifies people in cases. At a governorate.", routes, service="case")
