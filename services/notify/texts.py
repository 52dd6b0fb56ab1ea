"""What a notification says, by rule and language, from `texts/<language>.toml`.

A text has no placeholder: it cannot say anything of a case, whoever wrote the rule. Only the printed number of the
record is added, by the e-mail and by the view. What is added to the tables is checked by tests against the words of
every category in every language.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.notify import LANGUAGES

FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Text:
    """The words of one rule in one language."""

    title: str
    text: str


@dataclass(frozen=True)
class Letter:
    """The words around a text in an e-mail; `subject` and `reference` are the only ones with a placeholder."""

    subject: str
    reference: str
    closing: str


@dataclass(frozen=True)
class Texts:
    """Everything that is said in one language."""

    letter: Letter
    rules: dict[str, Text]


@cache
def texts(language: str) -> Texts:
    """The texts of `language`, or of the first language for one that we have no texts in."""
    written = language if language in LANGUAGES else LANGUAGES[0]
    document = tomllib.loads((FOLDER / f"{written}.toml").read_text(encoding="utf-8"))
    rules = {name: Text(**words) for name, words in document["rules"].items()}
    return Texts(Letter(**document["mail"]), rules)


def text(rule: str, language: str) -> Text:
    """What is said by `rule` in `language`. KeyError for a rule that nobody wrote a text for: tests forbid it."""
    return texts(language).rules[rule]
