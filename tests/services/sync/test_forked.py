"""Who was known to hold another history when a life of a journal began, whichever release wrote it down."""

from services.sync import doubt
from services.sync.tables import Recovery
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW


def test_destinations_and_places_are_read_as_this_release_and_the_one_before_wrote_them(
    make_database: MakeDatabase,
) -> None:
    written = {
        2: ("", {}),
        3: ("directorate-erbil:135", {"directorate-erbil": 135}),
        4: ("directorate-erbil:0,directorate-baghdad:7", {"directorate-erbil": 0, "directorate-baghdad": 7}),
        5: ("directorate-erbil,directorate-baghdad", {"directorate-erbil": None, "directorate-baghdad": None}),
    }
    with make_database("sync").write() as session:
        for epoch, (forks, _) in written.items():
            place = {"after": 4, "until": 9, "renumbered": 0, "source": "directorate-baghdad", "at": NOW}
            session.add(Recovery(epoch=epoch, forks=forks, **place))
        session.flush()
        for epoch, (_, expected) in written.items():
            assert session.get_one(Recovery, epoch).forked() == expected
            assert doubt.forked(session, epoch) == set(expected)
        assert doubt.forked(session, 1) == set()
