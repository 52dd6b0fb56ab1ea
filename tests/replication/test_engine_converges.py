"""What a governorate records is held by both directorates, and what a directorate issues by every
governorate.
"""

from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, converged


def test_both_directorates_come_to_hold_what_a_governorate_recorded(country: Country) -> None:
    country.start("ninewa", BAGHDAD, ERBIL)
    ninewa = country["ninewa"]
    ninewa.record_some(300)
    converged(ninewa, country[BAGHDAD], country[ERBIL], at_least=300)
    assert country[BAGHDAD].held("ninewa") == country[ERBIL].held("ninewa") == ninewa.head()
    own, baghdad, erbil = (node.records("ninewa") for node in (ninewa, country[BAGHDAD], country[ERBIL]))
    assert baghdad == own
    assert erbil == {key: {**row, "operational": None} for key, row in own.items()}
    assert wait.until(lambda: ninewa.link_state(BAGHDAD) == "idle", seconds=60)
