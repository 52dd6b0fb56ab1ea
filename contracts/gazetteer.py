"""
The districts of every governorate: the finest place that a `statistical` part may name.

`gazetteer.toml` beside this file is the list, with its source and its limits; a slug in a record always means one
district of one governorate. Names are in ar, ckb and en, and in kmr where it is known.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from kernel.errors import NotFound


class DistrictNotFound(NotFound):
    """There is no district {district} in the gazetteer."""

    code = "district_not_found"


@dataclass(frozen=True)
class District:
    slug: str
    governorate: str
    names: Mapping[str, str]


@cache
def gazetteer() -> Mapping[str, District]:
    """Every district by its slug, governorates in alphabetical order, the seat of each governorate first."""
    document = tomllib.loads((files(__package__) / "gazetteer.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            slug: District(slug, governorate, MappingProxyType(names))
            for governorate, entries in document.items()
            for slug, names in entries.items()
        }
    )


def districts(governorate: str) -> list[District]:
    """The districts of one governorate; none for a node that is not a governorate."""
    return [place for place in gazetteer().values() if place.governorate == governorate]


def district(slug: str) -> District:
    """The district of that slug; DistrictNotFound when the gazetteer has none."""
    if slug not in gazetteer():
        raise DistrictNotFound(district=slug)
    return gazetteer()[slug]
