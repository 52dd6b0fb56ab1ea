"""The API as a user's program meets it: log in, ask, page through, post with an Idempotency-Key and ask
again.

A 503 means "not now": the same request is sent again with the same key, after the pause the server asked for,
until `PATIENCE` seconds have passed. That is safe because of the key; it is what a client in the field does
too.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import requests

TIMEOUT = (5, 30)
PATIENCE = 60
AGAIN = {502, 503, 504}


class ApiError(RuntimeError):
    """The API refused a request; `code` is the stable code of the error family."""

    def __init__(self, method: str, url: str, status: int, body: Any) -> None:
        answer = body if isinstance(body, dict) else {}
        self.status = status
        self.code = answer.get("code", "")
        super().__init__(
            f"{method} {url}: {status} {self.code}: {answer.get('message', body)} {answer.get('details', '')}"
        )


class Api:
    """One account's view of one node. Not shared between threads."""

    def __init__(self, address: str, *, stopped: Callable[[], bool] = lambda: False) -> None:
        self.address = address
        self._stopped = stopped
        self._session = requests.Session()
        self._session.trust_env = False

    def log_in(self, login: str, password: str) -> str:
        """Ask for a token and use it from now on."""
        token = str(self.post("/login", {"login": login, "password": password})["token"])
        self.use(token)
        return token

    def use(self, token: str) -> None:
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self._ask("POST", path, json=body or {}, headers=headers)

    def every(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a paged list."""
        after = None
        while True:
            page = self.get(path, limit=200, after=after, **query)
            yield from page["items"]
            after = page["next"]
            if after is None:
                return

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        url = f"{self.address}/api/v1{path}"
        deadline = time.monotonic() + PATIENCE
        while True:
            answer, pause = self._once(method, url, request)
            if answer is not None and answer.status_code not in AGAIN:
                break
            if time.monotonic() + pause > deadline or self._stopped():
                raise ApiError(method, url, answer.status_code if answer is not None else 0, "no answer in time")
            time.sleep(pause)
        body = _body(answer)
        if not answer.ok:
            raise ApiError(method, url, answer.status_code, body)
        return body

    def _once(self, method: str, url: str, request: dict[str, Any]) -> tuple[requests.Response | None, float]:
        """One try, and how long to pause before another. A lost connection is an answer that did not come."""
        try:
            answer = self._session.request(method, url, timeout=TIMEOUT, **request)
        except (requests.ConnectionError, requests.Timeout):
            return None, 0.3
        return answer, float(answer.headers.get("Retry-After", 0.3)) if answer.status_code in AGAIN else 0


def _body(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:200]
