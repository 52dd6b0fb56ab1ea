"""Who is calling: the actor, the roles, and the signed token in which the gateway tells a service.

The gateway checks a person's token and speaks to the services with an *actor token* of its own: EdDSA JWT (RFC 8037),
one minute, for this node's services only. A service trusts nothing else about the caller and checks the roles again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from kernel import clock
from kernel.crypto import SigningKey, VerifyKey
from kernel.errors import Forbidden, NotAuthenticated

ALGORITHM = "EdDSA"
SERVICES = "services"  # the audience of an actor token
ACTOR_SECONDS = 60
LEEWAY_SECONDS = 5


@dataclass(frozen=True)
class Actor:
    """A person, or a part of the node, on whose behalf something is asked."""

    id: str
    name: str
    roles: frozenset[str]
    node: str
    unit: str | None = None
    forums: tuple[str, ...] = field(default=())
    language: str = "ar"

    def has(self, *roles: str) -> bool:
        """Whether the actor has any of `roles`."""
        return not self.roles.isdisjoint(roles)


def require(actor: Actor, *roles: str) -> None:
    """Raise `Forbidden` unless the actor has any of `roles`."""
    if not actor.has(*roles):
        raise Forbidden(needs=sorted(str(role) for role in roles))


def sign_token(key: SigningKey, claims: dict[str, Any], *, audience: str, now: datetime, seconds: int) -> str:
    """A JWT over `claims` for `audience`, valid from `now` for `seconds`."""
    times = {"iat": now, "exp": now + timedelta(seconds=seconds)}
    return jwt.encode({**claims, **times, "aud": audience}, key.private_key, ALGORITHM, headers={"kid": key.key_id})


def read_token(key: VerifyKey, token: str, *, audience: str) -> dict[str, Any]:
    """The claims of a valid token. Raises `NotAuthenticated`, saying whether it expired."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public_key,
            algorithms=[ALGORITHM],
            audience=audience,
            # Times are compared below, by the node's one clock.
            options={"require": ["exp", "iat", "aud", "sub"], "verify_exp": False, "verify_iat": False},
        )
        begins, ends = int(claims["iat"]), int(claims["exp"])
    except (jwt.InvalidTokenError, TypeError, ValueError) as error:
        raise NotAuthenticated("This token is not valid here; log in again.") from error
    moment = clock.now().timestamp()
    if ends <= moment - LEEWAY_SECONDS:
        raise NotAuthenticated("This token has expired; log in again.")
    if begins > moment + LEEWAY_SECONDS:
        raise NotAuthenticated("This token is not valid here; log in again.")
    return claims


def sign_actor(key: SigningKey, actor: Actor, *, now: datetime) -> str:
    """The token in which the gateway tells a service who is asking."""
    claims = {
        "sub": actor.id,
        "name": actor.name,
        "roles": sorted(actor.roles),
        "node": actor.node,
        "unit": actor.unit,
        "forums": list(actor.forums),
        "language": actor.language,
    }
    return sign_token(key, claims, audience=SERVICES, now=now, seconds=ACTOR_SECONDS)


def read_actor(key: VerifyKey, token: str, *, node: str) -> Actor:
    """The actor in a token of this node's gateway. Raises `NotAuthenticated`."""
    claims = read_token(key, token, audience=SERVICES)
    if claims.get("node") != node:
        raise NotAuthenticated("This token was made for another node.")
    return Actor(
        id=str(claims["sub"]),
        name=str(claims.get("name", "")),
        roles=frozenset(claims.get("roles", ())),
        node=node,
        unit=claims.get("unit"),
        forums=tuple(claims.get("forums", ())),
        language=str(claims.get("language", "ar")),
    )


def bearer(header: str | None) -> str:
    """The token in an Authorization header. Raises `NotAuthenticated`."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("Send the token of POST /api/v1/login as: Authorization: Bearer <token>.")
    return token.strip()
