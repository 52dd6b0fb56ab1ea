"""What is done again in the same way need not wait for the disk; what somebody was told must."""

from sqlalchemy import text

from kernel.database import Database
from tests.conftest import MakeDatabase


def level(database: Database, *, lasting: bool) -> int:
    with database.write_silently(lasting=lasting) as session:
        return int(session.execute(text("PRAGMA synchronous")).scalar_one())


def test_a_write_that_need_not_last_leaves_the_next_one_waiting_for_the_disk(
    make_sqlite_database: MakeDatabase,
) -> None:
    database = make_sqlite_database("case")
    normal, full = 1, 2
    assert [level(database, lasting=lasting) for lasting in (True, False, True)] == [full, normal, full]
