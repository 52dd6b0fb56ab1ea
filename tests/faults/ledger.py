"""What people were told, kept outside the system: accepted, uncertain, refused.

A write is *accepted* when the API answered 2xx, *uncertain* when there was no answer or a 5xx, *refused* when it said
no. Retrying with the same Idempotency-Key may make an uncertain one accepted. What was uncertain and then abandoned may
stand in the system once or not at all.
"""

import json
import threading
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Word(StrEnum):
    """What is known of a write."""

    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"


@dataclass
class Write:
    """One thing that somebody did. `key`: of the request. `subject`: what it is about, once that is known."""

    key: str
    node: str
    what: str  # opened, triaged, directive
    word: Word = Word.UNCERTAIN
    subject: str = ""
    tries: int = 0
    status: int = 0
    code: str = ""


class Ledger:
    """Threads may share it. Each change is a line in the file of the round."""

    def __init__(self) -> None:
        self.writes: dict[str, Write] = {}
        self.file: Path | None = None
        self._lock = threading.Lock()

    def note(self, write: Write) -> None:
        """What is now known of a write."""
        with self._lock:
            self.writes[write.key] = write
            if self.file is not None:
                with self.file.open("a") as lines:
                    lines.write(json.dumps(asdict(write)) + "\n")

    def of(self, node: str, what: str, word: Word | None = None) -> list[Write]:
        """The writes of one kind at one node."""
        with self._lock:
            chosen = [each for each in self.writes.values() if (each.node, each.what) == (node, what)]
        return [each for each in chosen if word is None or each.word is word]

    def counts(self) -> dict[str, int]:
        """How many there are of each word."""
        with self._lock:
            words = [each.word for each in self.writes.values()]
        return {word.value: words.count(word) for word in Word}
