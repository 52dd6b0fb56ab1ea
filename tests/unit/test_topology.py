from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts import topology
from contracts.gazetteer import DistrictNotFound, district, districts, gazetteer
from contracts.topology import Clearance, NodeKind, load
from kernel.errors import SettingsError

COUNTRY = Path(__file__).parents[2] / "deploy" / "topology.toml"
SMALL = """
[defaults]
home = "operational"
elsewhere = "statistical"
down = "operational"
[directorates.north]
iso = "XN"
names = { ar = "ش", ckb = "ب", en = "North" }
[directorates.south]
iso = "XS"
names = { ar = "ج", ckb = "ب", en = "South" }
[governorates.plain]
iso = "PL"
home = "south"
names = { ar = "س", ckb = "د", en = "Plain" }
"""


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "country.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_country_has_nineteen_governorates_and_two_directorates() -> None:
    country = load(COUNTRY)
    assert len(country.governorates) == 19
    assert [node.id for node in country.directorates] == ["directorate-baghdad", "directorate-erbil"]
    assert {node.id for node in country.governorates if node.home == "directorate-erbil"} == {
        "erbil",
        "duhok",
        "sulaymaniyah",
        "halabja",
    }


def test_every_governorate_shows_more_to_its_home_than_to_the_other_directorate() -> None:
    country = load(COUNTRY)
    for node in country.governorates:
        for link in country.links_from(node.id):
            home = link.destination == node.home
            assert link.clearance is (Clearance.OPERATIONAL if home else Clearance.STATISTICAL)
        assert len(country.links_from(node.id)) == 2


def test_a_directorate_is_linked_to_every_governorate_and_to_no_directorate() -> None:
    country = load(COUNTRY)
    for directorate in country.directorates:
        assert directorate.kind is NodeKind.DIRECTORATE
        assert set(directorate.links) == {node.id for node in country.governorates}
        assert len(country.links_to(directorate.id)) == 19


def test_a_clearance_can_be_raised_and_a_link_left_out(written: Callable[[str], Path]) -> None:
    raised = written(SMALL + 'links = { north = "operational" }')
    assert load(raised).node("plain").links == {
        "north": Clearance.OPERATIONAL,
        "south": Clearance.OPERATIONAL,
    }
    left_out = written(SMALL + 'links = { north = "none" }')
    assert load(left_out).links_to("north") == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('home = "south"', 'home = "west"'), "governorates.plain.home"),
        (('home = "south"\n', ""), "governorates.plain.home"),
        (('iso = "PL"', 'iso = "pl"'), "governorates.plain.iso"),
        (('iso = "PL"', 'iso = "XN"'), "directorates.north.iso"),
        (('en = "Plain"', 'en = " "'), "governorates.plain.names.en"),
        ((', en = "Plain"', ""), "governorates.plain.names.en"),
        (('elsewhere = "statistical"', 'elsewhere = "all"'), "defaults.elsewhere"),
        (('down = "operational"\n', ""), "defaults.down"),
        (("[governorates.plain]", "[governorates.Plain]"), "governorates.Plain"),
        (("[governorates.plain]", "[governorates.north]"), "governorates.north"),
        (('iso = "PL"', 'iso = "PL"\ncolour = "red"'), "governorates.plain.colour"),
        (('iso = "PL"', 'iso = "PL"\nlinks = { south = "none" }'), "governorates.plain.links.south"),
        (('iso = "PL"', 'iso = "PL"\nlinks = { west = "none" }'), "governorates.plain.links.west"),
        (("[governorates.plain]", "[districts.plain]"), "governorates"),
    ],
)
def test_a_wrong_topology_is_refused_naming_the_file_and_the_key(
    written: Callable[[str], Path], change: tuple[str, str], key: str
) -> None:
    path = written(SMALL.replace(*change))
    with pytest.raises(SettingsError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: {key}: ")


def test_a_topology_that_cannot_be_read_is_refused_by_name(written: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not TOML"):
        load(written("[defaults"))
    with pytest.raises(SettingsError, match=r"absent\.toml: cannot be read"):
        load(tmp_path / "absent.toml")


def test_an_unknown_node_is_refused_with_the_nodes_there_are(written: Callable[[str], Path]) -> None:
    with pytest.raises(SettingsError, match="plain, north, south"):
        load(written(SMALL)).node("west")


def test_every_governorate_has_districts_and_every_district_a_known_governorate() -> None:
    governorates = {node.id for node in load(COUNTRY).governorates}
    assert {place.governorate for place in gazetteer().values()} == governorates
    assert all(len(districts(node)) >= 3 for node in governorates)


def test_every_district_is_named_in_arabic_sorani_and_english() -> None:
    for place in gazetteer().values():
        assert set(topology.LANGUAGES) <= set(place.names) <= {*topology.LANGUAGES, "kmr"}
        assert all(name.strip() == name and name for name in place.names.values())


def test_a_district_is_found_by_its_slug_and_an_unknown_one_is_refused() -> None:
    assert district("sinjar").governorate == "ninewa"
    assert districts("directorate-erbil") == []
    with pytest.raises(DistrictNotFound, match="atlantis"):
        district("atlantis")


def test_directorates_witness_each_other_and_nobody_else() -> None:
    country = load(COUNTRY)
    assert country.witnesses_of("directorate-baghdad") == ["directorate-erbil"]
    assert country.witnesses_of("directorate-erbil") == ["directorate-baghdad"]
    assert country.witnesses_of("ninewa") == []
