"""The users of a broker, through RabbitMQ's management interface: let a node in with the least it needs, shut it out.

HTTP instead of `rabbitmqctl`, because it works from a container and needs neither the system's root nor Erlang's
cookie. Every call may be repeated: what is there already is set again. Raises `BrokerAway` when the interface cannot
be reached, `SettingsError` when it refuses us.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import requests

from kernel.errors import BrokerAway, SettingsError

WAIT_SECONDS = 10.0
# A connection that died without a word counts until two heartbeats of 20 s were missed. With waits of 1, 2, 4 … s a
# node dials at most six times in that minute; a connection has two channels, and one more while it is being set up.
MOST_CONNECTIONS = 8
MOST_CHANNELS = 24


@dataclass(frozen=True)
class Rights:
    """What one user may do in one virtual host: write with one routing key to one exchange, read one queue."""

    vhost: str
    exchange: str
    key: str
    queue: str


class BrokerAdmin:
    """The administrator at `url` (`http://user:password@host:port`, or https with the authority in `ca`)."""

    def __init__(self, url: str, ca: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.username:
            raise SettingsError("`broker_admin.url` is not of the form http://user:password@host:port.")
        place = parts.netloc.rpartition("@")[2]
        self._root = urlunsplit((parts.scheme, place, parts.path.rstrip("/") + "/api", "", ""))
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy for the web is not one for this, nor is a .netrc
        self._session.auth = (unquote(parts.username), unquote(parts.password or ""))
        self._session.verify = str(ca) if ca else True

    def let_in(self, user: str, rights: Rights) -> None:
        """Make `user`, who has no password and so comes with a certificate only, and set rights and limits.

        The limits come first: there is no moment in which the user is there without them but with rights.
        """
        self._ask("PUT", ("users", user), {"password_hash": "", "tags": ""})
        self._ask("PUT", ("user-limits", user, "max-connections"), {"value": MOST_CONNECTIONS})
        self._ask("PUT", ("user-limits", user, "max-channels"), {"value": MOST_CHANNELS})
        key, exchange, queue = (_exactly(text) for text in (rights.key, rights.exchange, rights.queue))
        topic = {"exchange": rights.exchange, "write": key, "read": "^$"}
        self._ask("PUT", ("topic-permissions", rights.vhost, user), topic)
        allowed = {"configure": "^$", "write": exchange, "read": queue}
        self._ask("PUT", ("permissions", rights.vhost, user), allowed)

    def shut_out(self, user: str) -> None:
        """Delete `user`; its open connections are closed. Harmless when there is no such user."""
        self._ask("DELETE", ("users", user), missing_ok=True)
        for name in self.connections(user):  # RabbitMQ closes them by itself; this is for one that it did not track
            self._ask("DELETE", ("connections", name), missing_ok=True)

    def connections(self, user: str) -> list[str]:
        """The names of the connections that `user` has open."""
        found = self._ask("GET", ("connections",)).json()
        return [str(each["name"]) for each in found if each.get("user") == user and "name" in each]

    def _ask(
        self, method: str, path: tuple[str, ...], body: dict[str, Any] | None = None, *, missing_ok: bool = False
    ) -> requests.Response:
        url = "/".join((self._root, *(quote(part, safe="") for part in path)))
        try:
            answer = self._session.request(method, url, json=body, timeout=WAIT_SECONDS)
        except requests.RequestException as error:
            raise BrokerAway(
                "The broker's management interface cannot be reached.", cause=type(error).__name__
            ) from error
        if answer.status_code >= 500:
            raise BrokerAway("The broker's management interface cannot answer.", cause=str(answer.status_code))
        if answer.status_code >= 400 and not (missing_ok and answer.status_code == 404):
            raise SettingsError(
                f"The broker's management interface refused {method} {'/'.join(path)} ({answer.status_code}); "
                "`broker_admin.url` must name an administrator."
            )
        return answer


def _exactly(text: str) -> str:
    """A regular expression that matches `text` and nothing else, as RabbitMQ reads one."""
    return "^" + text.replace(".", r"\.") + "$"
