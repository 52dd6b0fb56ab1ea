"""The error family: a sentence, a stable code, an HTTP status, and whether asking again helps.

An error is raised where the rule is known and translated once, at the door. Its docstring is the sentence a person
reads; `{names}` in it are filled from the details. Anything that is not a `JisrError` is a defect: the door answers
500 and says nothing of the cause.
"""

from collections.abc import Mapping
from typing import Any, NoReturn


class JisrError(Exception):
    """The request could not be carried out."""

    code = "error"
    status = 500
    retryable = False
    retry_after = 0
    audited = False  # a refusal that the audit log must show

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.details = details
        self.message = message if message is not None else _sentence(type(self), details)
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The one shape of every error answer: `{code, message, details}`."""
        return {"code": self.code, "message": self.message, "details": self.details}


def _sentence(error: type[JisrError], details: Mapping[str, Any]) -> str:
    text = " ".join((error.__doc__ or JisrError.__doc__ or "").split())
    try:
        return text.format(**details)
    except (KeyError, IndexError):
        return text


class BadInput(JisrError):
    """What was sent does not fit what is expected; the details say where and how."""

    code = "bad_input"
    status = 422


class MalformedRequest(BadInput):
    """The body is not the JSON object that this door expects."""

    code = "malformed_request"
    status = 400


class IdempotencyKeyReused(BadInput):
    """This Idempotency-Key was already used with another request; use a new key for a new request."""

    code = "idempotency_key_reused"


class NotAuthenticated(JisrError):
    """Who is calling could not be established; log in again."""

    code = "not_authenticated"
    status = 401


class Forbidden(JisrError):
    """Your roles do not allow this."""

    code = "forbidden"
    status = 403
    audited = True


class NotFound(JisrError):
    """There is nothing here by that name."""

    code = "not_found"
    status = 404


class Conflict(JisrError):
    """The request does not fit the present state."""

    code = "conflict"
    status = 409


class MoveRefused(Conflict):
    """A {subject} that is {current} cannot become {target}; from {current} it may become: {possible}."""

    code = "move_refused"


class StaleVersion(Conflict):
    """You changed version {yours}, but the record is at version {current}; read it again."""

    code = "stale_version"


class TooLarge(JisrError):
    """The request is larger than the {limit} bytes that are accepted."""

    code = "too_large"
    status = 413


class TooManyRequests(JisrError):
    """Too many attempts; wait before trying again."""

    code = "too_many_requests"
    status = 429
    retryable = True
    retry_after = 60


class Unavailable(JisrError):
    """A part that is needed cannot be reached now; nothing was changed, try again."""

    code = "unavailable"
    status = 503
    retryable = True
    retry_after = 2


class NoRoom(Unavailable):
    """The disk of this node is too full for {work} now; nothing was changed. Tell the operator of the node."""

    code = "no_room"
    retry_after = 60


class BrokerAway(Unavailable):
    """The message broker cannot be reached or takes no messages now."""

    code = "broker_away"


class SettingsError(JisrError):
    """The settings cannot be used."""

    code = "bad_settings"


class Internal(JisrError):
    """Something went wrong here; the operators can find it in the log by the request id."""

    code = "internal_error"


def refuse(error: type[JisrError], message: str | None = None, **details: Any) -> NoReturn:
    """Raise `error`; for use in expressions: `row or refuse(NotFound, subject=key)`."""
    raise error(message, **details)
