"""Entity ids: UUIDv7 (RFC 9562), made on the node that records the entity, ordered by the time they were made."""

import uuid_utils


def new_id() -> str:
    """A new UUIDv7 as canonical lower-case text, 36 characters."""
    return str(uuid_utils.uuid7())
