"""Asking a service: one HTTP request to one door, with bounded waits and an honest word when there is no answer.

A connection is not kept between requests: on loopback or one server's network a new one costs a tenth of a millisecond,
and a kept one that the service has closed cannot be told from a request that was lost after it was carried out.
"""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import msgspec
import requests
from requests.adapters import HTTPAdapter

from kernel.errors import Internal, JisrError, Unavailable, refuse
from kernel.identity import Actor
from kernel.log import get_logger

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 15.0  # a door waits up to 10 s for its database's lock; then it answers 503 itself
READY_SECONDS = 1.0
READY_KEPT_SECONDS = 1.0
OK = 200
PASSED_ON = (403, 404, 409, 413, 422, 429, 503)  # 400, 401, 405 and 415 can only be the gateway's own mistake

log = get_logger("gateway.doors")


class ServiceAway(Unavailable):
    """The {service} service cannot be reached now; nothing was changed, try again."""

    code = "service_away"


class ServiceSilent(Unavailable):
    """The {service} service was asked but did not answer; ask again with the same Idempotency-Key."""

    code = "service_silent"


class Refused(JisrError):
    """What a service refused, passed on in its words."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any], retry_after: int) -> None:
        super().__init__(message, **details)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class _Refusal(msgspec.Struct):
    code: str
    message: str
    details: dict[str, Any]


class Doors:
    """The doors of the services of this node. Threads may share it."""

    def __init__(self, urls: Mapping[str, str], *, sign: Callable[[Actor], str]) -> None:
        self._urls = urls
        self._sign = sign
        self._seen: tuple[float, dict[str, bool]] = (float("-inf"), {})
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy in the environment is for the world outside, not for our own doors
        self._http.mount("http://", HTTPAdapter(pool_connections=len(urls), pool_maxsize=32))
        self._http.headers["Connection"] = "close"

    def call(
        self,
        service: str,
        door: str,
        values: Mapping[str, Any],
        *,
        actor: Actor,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> bytes:
        """The service's answer, a JSON view as it wrote it.

        Raises what the service refused, ServiceAway when it was not asked, ServiceSilent when it may have been.
        """
        headers = {"Authorization": f"Bearer {self._sign(actor)}", "Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if request_id is not None:
            headers["X-Request-Id"] = request_id
        answer = self._ask(service, door, msgspec.json.encode(values, order="sorted"), headers)
        return answer.content if answer.status_code == OK else _refusal(service, door, answer)

    def _ask(self, service: str, door: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        try:
            return self._http.post(
                f"{self._urls[service]}/doors/{door}",
                data=body,
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            )
        except requests.ConnectionError as error:
            if _never_connected(error):
                refuse(ServiceAway, service=service)
            refuse(ServiceSilent, service=service)
        except requests.RequestException:
            refuse(ServiceSilent, service=service)

    def reachable(self) -> dict[str, bool]:
        """Which services say that they can serve; asked once a second at the most, however often this is."""
        asked_at, seen = self._seen
        if monotonic() - asked_at > READY_KEPT_SECONDS:
            seen = {service: self._ready(url) for service, url in sorted(self._urls.items())}
            self._seen = (monotonic(), seen)
        return seen

    def _ready(self, url: str) -> bool:
        try:
            return self._http.get(f"{url}/readyz", timeout=READY_SECONDS, allow_redirects=False).ok
        except requests.RequestException:
            return False


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether the request was never sent: refused, unreachable, no name, or no connection in time."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


def _refusal(service: str, door: str, answer: requests.Response) -> bytes:
    """Raise what the service answered. What only the gateway could have caused is a defect, not the client's error."""
    try:
        body = msgspec.json.decode(answer.content, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        body = None
    if body is None or answer.status_code not in PASSED_ON:
        log.error("gateway.door_failed", service=service, door=door, status=answer.status_code)
        refuse(Internal)
    retry_after = answer.headers.get("Retry-After", "")
    wait = int(retry_after) if retry_after.isdigit() else 0
    raise Refused(answer.status_code, body.code, body.message, body.details, wait)
