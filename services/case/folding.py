"""Names as they are looked for: one form for the many spellings of one name, in Arabic, Kurdish and Latin script. Pure.

Two forms of each word. The *spelling* removes what writers leave out or write by another key: harakat and tatweel, the
forms of alef and hamza, teh marbuta and heh, alef maqsura and the yehs, the kafs and hehs of other keyboards, Kurdish
letters where only an Arabic keyboard was at hand, the article. The *skeleton* is what remains of a word when it is
heard and written down in another script: its consonants, in classes of those that are written for each other. محمد,
Muhammad, Mohammed and Mehemed have the skeleton MHMD.

Both are lossy on purpose. A skeleton finds too much rather than too little; who searches sees the names and chooses.
The sounds are those of Iraqi Arabic, Sorani and Kurmanji, and of the ways in which offices write them in Latin letters;
no published standard covers all three, these classes are ours."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from kernel.digits import western

VERSION: Final = 1
"""Raised with every change here that changes a form: what was indexed under an earlier one is indexed anew."""

MAX_WORDS: Final = 12
_LETTERS: Final = str.maketrans(
    {
        "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ێ": "ي", "ے": "ي", "ک": "ك", "ڪ": "ك", "گ": "ك", "ة": "ه", "ھ": "ه",
        "ہ": "ه", "ۆ": "و", "ۇ": "و", "ۋ": "و", "ڕ": "ر", "ڵ": "ل", "ڤ": "ف", "چ": "ج", "پ": "ب", "ژ": "ز",
        "ء": "", "ـ": "", "ş": "sh", "ç": "ch", "ı": "i", "ø": "o", "ß": "ss", "’": "", "‘": "", "'": "", "`": "",
        "ʿ": "", "ʾ": "",
    }
)  # fmt: skip
_KURDISH_E: Final = re.compile(r"(?:ە|ه\u200c)(?=\w)")  # a vowel that Arabic leaves out, except at a word's end
_CARRIER: Final = re.compile(r"\bئا?")  # carries the vowel that begins a Kurdish word, as alef does in Arabic
_WORD: Final = re.compile(r"[^\W_]+")
_SON_OF: Final = frozenset({"بن", "ابن", "بنت", "bin", "ibn", "ben", "bint", "al", "el", "ال", "ul", "ar", "as", "an"})
_SERVANT: Final = frozenset({"عبد", "abd", "abdul", "abdel", "abdal", "ebdul"})
_ARTICLE: Final = "ال"

_CLASSES: Final = {
    "ب": "B", "ت": "T", "ث": "T", "ط": "T", "ج": "J", "ح": "H", "ه": "H", "خ": "X", "د": "D", "ض": "D", "ذ": "Z",
    "ز": "Z", "ظ": "Z", "ر": "R", "س": "S", "ص": "S", "ش": "C", "غ": "G", "ف": "F", "ق": "K", "ك": "K", "ل": "L",
    "م": "M", "ن": "N",
    "b": "B", "p": "B", "t": "T", "j": "J", "c": "J", "h": "H", "x": "X", "d": "D", "z": "Z", "r": "R", "s": "S",
    "f": "F", "v": "F", "q": "K", "k": "K", "g": "K", "l": "L", "m": "M", "n": "N",
}  # fmt: skip
_PAIRS: Final = {
    "th": ("T", "TH"),
    "kh": ("X", "KH"),
    "sh": ("C", "SH"),
    "gh": ("G", "KH"),
    "dh": ("Z", "D", "DH"),
    "ch": ("J",),
    "zh": ("Z",),
    "ph": ("F",),
    "ck": ("K",),
}
_SEVERAL: Final = {"ض": ("D", "Z"), "j": ("J", "Z")}  # Ramadan and Ramazan; Kurmanji writes zh as j
_GLIDES: Final = {"و": "W", "ي": "Y", "w": "W", "y": "Y"}
MAX_READINGS: Final = 4
PHONE_DIGITS: Final = 9
"""The digits of an Iraqi number that do not depend on how its beginning is written: 0770…, +964 770…, 00964770…"""


def words(name: str) -> list[str]:
    """The words of a name in their spelling form: at most twelve, each once, in the order written."""
    name = _CARRIER.sub("ا", _KURDISH_E.sub("", name)).replace("ە", "ه")
    decomposed = unicodedata.normalize("NFKD", name.translate(_LETTERS).casefold().translate(_LETTERS))
    plain = "".join(each for each in decomposed if unicodedata.category(each) not in ("Mn", "Cf"))
    found = _WORD.findall(western(plain.translate(_LETTERS)))
    return list(dict.fromkeys(_whole(found)))[:MAX_WORDS]


def _whole(found: list[str]) -> Iterator[str]:
    """Words without article and particles; عبد and the name that it belongs to are one word, as Abdullah is."""
    servant = ""
    for each in found:
        if each in _SERVANT:
            servant = each
        elif each not in _SON_OF:
            yield _servant_of(each) if servant else _without_article(each)
            servant = ""
    if servant:
        yield servant


def _servant_of(name: str) -> str:
    return ("عبد" if "؀" <= name[0] <= "ۿ" else "abd") + name.removeprefix(_ARTICLE)


def _without_article(word: str) -> str:
    if word.startswith("عبدال") and len(word) > 6:
        return "عبد" + word[5:]
    return word[2:] if word.startswith(_ARTICLE) and len(word) > 4 else word


def skeletons(word: str) -> frozenset[str]:
    """How a word of `words` may sound: one skeleton, or a few where Latin letters can be read in several ways."""
    readings = [""]
    rest = word
    while rest:
        pair = _PAIRS.get(rest[:2])
        taken = 2 if pair else 1
        sounds = pair or _SEVERAL.get(rest[0]) or (_sound(rest[0], first=len(rest) == len(word)),)
        readings = [reading + sound for reading in readings for sound in sounds][:MAX_READINGS]
        rest = rest[taken:]
    return frozenset(skeleton for reading in readings if (skeleton := _settled(reading)))


def _sound(letter: str, *, first: bool) -> str:
    """The class of a letter; a glide counts where it begins a word, elsewhere it is written as a vowel and back."""
    if letter.isdigit():
        return letter
    return _CLASSES.get(letter, "") or (_GLIDES.get(letter, "") if first else "")


def _settled(reading: str) -> str:
    """Doubled consonants once; no heh at the end (Fatima, Fatimah, فاطمة); the servant's article in no form."""
    single = re.sub(r"(.)\1+", r"\1", reading)
    single = single[:-1] if single.endswith("H") and len(single) > 1 else single
    return re.sub(r"^BDL(?=.)", "BD", single)


def phone(written: str) -> str | None:
    """A telephone number as it is compared: its last nine digits; None when there are fewer than seven."""
    digits = re.sub(r"\D", "", western(written))
    return digits[-PHONE_DIGITS:] if len(digits) >= PHONE_DIGITS - 2 else None
