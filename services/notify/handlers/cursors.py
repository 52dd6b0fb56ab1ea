"""Up to where each stream of the sync service was read."""

from sqlmodel import Session

from services.notify.tables import CursorRow


def place(session: Session, stream: str) -> int:
    """The number of the last item of `stream` that was looked at; 0 before the first."""
    row = session.get(CursorRow, stream)
    return row.number if row else 0


def move(session: Session, stream: str, number: int) -> None:
    """Remember that everything of `stream` up to `number` was looked at."""
    row = session.get(CursorRow, stream)
    if row is None:
        session.add(CursorRow(stream=stream, number=number))
    else:
        row.number = number
