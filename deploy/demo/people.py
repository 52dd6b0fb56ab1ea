"""Invented people.

A name is three common given names put together by the seed (given, father's, grandfather's), in the script of
its language; it has no family or tribal name, so it stands for nobody and says nothing of anyone's origin.
Telephone numbers begin with +964 700 000, which no operator has. Texts are put together from a few sentences
that were written for this demo.
"""

import random
from dataclasses import dataclass

WOMEN = {
    "ar": ("زينب", "مريم", "نور", "هدى", "رنا", "سعاد", "إيمان", "ليلى", "آمنة", "شيماء", "رغد", "سلمى"),
    "ckb": (
        "شیلان",
        "ڕووناک",
        "هێرۆ",
        "ژیان",
        "شنۆ",
        "نەسرین",
        "گوڵاڵە",
        "چنار",
        "بەهار",
        "تارا",
        "سازان",
        "ئاواز",
    ),
}
MEN = {
    "ar": ("أحمد", "علي", "عمر", "حسن", "يوسف", "خالد", "سعد", "مصطفى", "محمود", "إبراهيم", "كريم", "ياسر"),
    "ckb": (
        "ئازاد",
        "هێمن",
        "ڕێبین",
        "کاروان",
        "سەردار",
        "دلێر",
        "شوان",
        "ئاراس",
        "بەختیار",
        "هەڵکەوت",
        "ڕزگار",
        "نەوزاد",
    ),
}
ACCOUNTS = {
    "ar": (
        "جاء يطلب المشورة في خلاف بين جارين على ممر الماء.",
        "تشكو من رسائل متكررة على الهاتف وتطلب إيقافها.",
        "خلاف عائلي على السكن، ويرغب الطرفان في وساطة.",
        "نزاع على حدود قطعة أرض بعد العودة إلى المنطقة.",
        "فُقدت دراجة من أمام السوق، ويريد تسجيل الواقعة أولاً.",
    ),
    "ckb": (
        "داوای ڕاوێژ دەکات لەسەر کێشەی نێوان دوو دراوسێ.",
        "گلەیی لە نامەی دووبارە دەکات لەسەر تەلەفۆن.",
        "ناکۆکی خێزانی لەسەر نیشتەجێبوون، هەردوولا ناوبژیوانییان دەوێت.",
        "کێشە لەسەر سنووری پارچە زەوییەک پاش گەڕانەوە.",
        "پاسکیلێک لەبەردەم بازاڕ ون بووە و دەیەوێت سەرەتا تۆمار بکرێت.",
    ),
}


@dataclass(frozen=True)
class Person:
    name: str
    phone: str
    sex: str
    language: str


def person(dice: random.Random, language: str = "ar") -> Person:
    """An invented person who reads `language` (Arabic where we have no names in it)."""
    script = language if language in WOMEN else "ar"
    sex = dice.choice(("female", "male"))
    first = dice.choice((WOMEN if sex == "female" else MEN)[script])
    name = " ".join((first, *dice.sample(MEN[script], 2)))
    return Person(name, phone(dice), sex, script)


def phone(dice: random.Random) -> str:
    return f"+964700000{dice.randrange(10_000):04d}"


def account(dice: random.Random, language: str = "ar") -> str:
    """What somebody told the intake officer: free text, C4 like all free text on cases."""
    return " ".join(dice.sample(ACCOUNTS[language if language in ACCOUNTS else "ar"], 2))
