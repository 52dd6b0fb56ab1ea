"""Whose word is believed, where the journals say that keys have changed."""

import json
import logging
from typing import Any

import pytest
from sqlmodel import Session

from kernel.crypto import SigningKey
from kernel.database import Database
from services.sync import rotation
from services.sync.tables import Record
from services.sync.trust import Trust
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW

FIRST, SECOND, STRANGER = SigningKey.new(), SigningKey.new(), SigningKey.new()


def hold(session: Session, number: int, stated: dict[str, Any]) -> None:
    told = {"type": "key.rotated.v1", "version": 1, "operational": None, "updated_at": NOW}
    record = {"origin": "ninewa", "kind": rotation.KIND, "subject": f"key-{number}", "number": number}
    session.add(Record(**record, **told, statistical=json.dumps(stated)))


def stated(former: SigningKey, key: SigningKey) -> dict[str, Any]:
    return rotation.rotated("ninewa", former, key, at=NOW).statistical_values()


def believed(database: Database, times: int = 1) -> set[str]:
    trust = Trust({"ninewa": FIRST.verify_key})
    for _ in range(times):
        with database.read() as session:
            trust.read(session)
    return set(trust.ring)


def test_a_change_of_key_that_cannot_be_read_changes_nothing_and_is_told_once(
    make_database: MakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    database = make_database("sync")
    with database.write() as session:
        hold(session, 5, {**stated(FIRST, SECOND), "key": "a secret that slipped in"})
    with caplog.at_level(logging.WARNING, "jisr.rotation"):
        assert believed(database, times=3) == {FIRST.key_id}
    (line,) = caplog.records
    assert (line.getMessage(), line.__dict__["values"]) == (
        "rotation.unheeded",
        {"origin": "ninewa", "number": 5},
    )


def test_a_change_that_the_former_key_did_not_sign_is_told_and_a_good_one_is_not(
    make_database: MakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    database = make_database("sync")
    forged = {**stated(FIRST, STRANGER), "by_former": stated(STRANGER, SECOND)["by_former"]}
    with database.write() as session:
        hold(session, 7, stated(FIRST, SECOND))
        hold(session, 6, forged)
    with caplog.at_level(logging.WARNING, "jisr.rotation"):
        assert believed(database) == {FIRST.key_id, SECOND.key_id}
    assert [line.__dict__["values"]["number"] for line in caplog.records] == [6]
