"""One name, many spellings: what must be found by what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.case import folding

ONE_SPELLING = [
    ("أحمد", "احمد"),
    ("إيمان", "ايمان"),
    ("آمنة", "امنه"),
    ("مصطفى", "مصطفي"),
    ("فاطمة", "فاطمه"),
    ("مُحَمَّد", "محمد"),
    ("محـــمد", "محمد"),
    ("مؤمن", "مومن"),
    ("المختار", "مختار"),
    ("عبد الله", "عبدالله"),
    ("عبد الرحمن", "عبدالرحمن"),
    ("كريم", "کریم"),
    ("گولالە", "كولاله"),
    ("ئەحمەد", "أحمد"),
    ("كه\u200cريم", "كريم"),
    ("هێمن", "هيمن"),
    ("Şîrîn", "shirin"),
    ("AL-MUKHTAR", "mukhtar"),
    ("زينب بنت علي", "زينب علي"),
]
ONE_SOUND = [
    *(("محمد", written) for written in ("Muhammad", "Mohammed", "Mohamed", "Mehemed")),
    ("أحمد", "Ahmed"),
    ("ئەحمەد", "Ehmed"),
    ("فاطمة", "Fatimah"),
    ("فاطمة", "Fatima"),
    ("زەینەب", "Zainab"),
    ("عبد الله", "Abdullah"),
    ("عبد الرحمن", "Abdurrahman"),
    ("عبدالرحمن", "Abd al-Rahman"),
    ("خالد", "Khalid"),
    ("خالد", "Xalid"),
    ("فتحي", "Fathi"),
    ("شيرين", "Şîrîn"),
    ("عثمان", "Othman"),
    ("يوسف", "Yousif"),
    ("وليد", "Waleed"),
    ("ناظم", "Nazim"),
    ("ناظم", "Nadhim"),
    ("رضا", "Ridha"),
    ("رمضان", "Ramadan"),
    ("رمضان", "Ramazan"),
    ("رەمەزان", "رمضان"),
    ("گولالە", "Gulala"),
    ("ئارام", "Aram"),
    ("جمال", "Cemal"),
    ("ژیان", "Jiyan"),
    ("علي", "Ali"),
    ("قاسم", "Kasim"),
]


def sounds(name: str) -> list[frozenset[str]]:
    return [folding.skeletons(word) for word in folding.words(name)]


@pytest.mark.parametrize(("written", "also"), ONE_SPELLING)
def test_spellings_of_one_name_are_one(written: str, also: str) -> None:
    assert folding.words(written) == folding.words(also) != []


@pytest.mark.parametrize(("written", "heard"), ONE_SOUND)
def test_a_name_is_found_in_another_script(written: str, heard: str) -> None:
    pairs = list(zip(sounds(written), sounds(heard), strict=True))
    assert pairs
    assert all(one & other for one, other in pairs)


@pytest.mark.parametrize(
    ("one", "other"), [("محمد", "محمود"), ("زينب", "زهراء"), ("Ahmed", "Hamid"), ("حسن", "حسين علي")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert folding.words(one) != folding.words(other)


@pytest.mark.parametrize(
    "written", ["+964 770 123 4567", "0770-123-4567", "٠٧٧٠١٢٣٤٥٦٧", "۰۰۹۶۴۷۷۰۱۲۳۴۵۶۷", "7701234567"]
)
def test_a_telephone_number_is_one_however_it_is_written(written: str) -> None:
    assert folding.phone(written) == "701234567"


@pytest.mark.parametrize("written", ["", "497", "none", "12 34"])
def test_what_is_no_telephone_number_is_compared_with_none(written: str) -> None:
    assert folding.phone(written) is None


@given(st.text(max_size=200))
def test_folding_is_bounded(name: str) -> None:
    words = folding.words(name)
    assert len(words) <= folding.MAX_WORDS
    for word in words:
        assert len(folding.skeletons(word)) <= folding.MAX_READINGS
    once = " ".join(words)
    assert set(folding.words(once)) <= set(words) | {each.removeprefix("ال") for each in words} | set(
        folding.words(once)
    )


@given(st.lists(st.sampled_from(["محمد", "علي", "زينب", "حسن", "Ahmed"]), min_size=1, max_size=4, unique=True))
def test_the_order_of_a_name_does_not_matter(names: list[str]) -> None:
    assert set(folding.words(" ".join(names))) == set(folding.words(" ".join(reversed(names))))
