"""Finding a person by name among 200,000 whose names are sealed, on PostgreSQL.

    python -m tests.bench.search [--persons 200000] [--queries 400] [--json]

Persons are invented with names as unevenly distributed as those of the region: the most common given name is that of
every fourth man. All of them are cases of one unit, whose supervisor asks: the largest reach that reads identity. A
fifth of the queries each are a telephone number, a whole name, the given name with the family's, with the father's (two
common ones, of which thousands fit), and the family's alone; half are written in Latin letters. Measured is what the
door does: the query, unsealing and comparing, and the lines of the audit log. `found`: how many of the queries had an
answer; of thousands that fit, the latest are shown, and that there are more."""

import argparse
import io
import itertools
import json
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session

from contracts.case import FindPersons
from contracts.roles import Role
from kernel.database import Database
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.migration import migrate
from kernel.vault import Vault
from services.case import folding, handlers, index, sealing
from services.case.tables import CaseKey, CaseParty, CaseRecord
from tests.kit.postgres import private_postgres

MEN: Final = (("محمد", "Muhammad"), ("علي", "Ali"), ("أحمد", "Ahmed"), ("حسين", "Hussein"), ("حسن", "Hassan"),
              ("عمر", "Omar"), ("خالد", "Khalid"), ("كريم", "Karim"), ("سعد", "Saad"), ("ئارام", "Aram"),
              ("مصطفى", "Mustafa"), ("عبد الله", "Abdullah"), ("قاسم", "Qasim"), ("ناظم", "Nazim"))  # fmt: skip
WOMEN: Final = (("زينب", "Zainab"), ("فاطمة", "Fatima"), ("مريم", "Maryam"), ("سعاد", "Suad"), ("شيرين", "Shirin"),
                ("هدى", "Huda"), ("ليلى", "Layla"), ("ژیان", "Zhiyan"), ("نور", "Nur"), ("رنا", "Rana"))  # fmt: skip
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE: Final = 2_000
LEADING: Final = Actor("leading", "", frozenset({Role.UNIT_SUPERVISOR}), "ninewa", "ninewa-1")
ROW: Final[dict[str, Any]] = {
    "version": 1, "status": "in_progress", "recording_class": "non_crime", "current_class": "non_crime",
    "category": "neighbour_dispute", "restricted": False, "channel": "walk_in", "district": "mosul",
    "reported_at": START, "opened_at": START, "opened_by": "intake", "language": "ar", "interpreter": False,
    "handler_preference": "any", "prior_resort": "none", "pressure_reported": False, "unit": "ninewa-1",
    "age_band": "missing", "parties_told": "missing", "handlers": [], "notes": 0,
}  # fmt: skip


class People:
    """Invented persons: (Arabic name, Latin name, telephone number), the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = random.Random(seed)
        self.families = [self._family(number) for number in range(3_000)]

    def _family(self, number: int) -> tuple[str, str]:
        letters = (("ب", "b"), ("د", "d"), ("ر", "r"), ("س", "s"), ("ك", "k"), ("ل", "l"), ("م", "m"), ("ن", "n"))
        chosen = [letters[number // 8**place % 8] for place in range(4)]
        arabic = "ا".join(letter for letter, _ in chosen)
        return f"ال{arabic}ي", "al-" + "a".join(letter for _, letter in chosen) + "i"

    def person(self) -> tuple[str, str, str]:
        """A given name, that of the father, and the family's: each rarer than the one before it in its list."""
        given = self._uneven(WOMEN if self.dice.random() < 0.5 else MEN)
        father, family = self._uneven(MEN), self._uneven(self.families)
        names = [" ".join(parts) for parts in zip(given, father, family, strict=True)]
        return names[0], names[1], f"077{self.dice.randrange(10**8):08d}"

    def _uneven(self, names: Any) -> tuple[str, str]:
        place = int(len(names) * self.dice.random() ** 2)
        chosen: tuple[str, str] = names[place]
        return chosen


def fill(session: Session, people: People, count: int) -> list[tuple[str, str, str]]:
    """Write `count` cases of one person each, as the service does but many rows in one statement, tokens by `COPY`."""
    vault: Vault = session.info[sealing.VAULT]
    secret = sealing.secret(session, index.KEYED_BY)
    rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in (CaseRecord, CaseKey, CaseParty)}
    tokens = io.StringIO()
    columns = set(CaseRecord.__table__.columns.keys())
    persons = [people.person() for _ in range(count)]
    for number, (name, _, phone) in enumerate(persons):
        case_id, party_id = new_id(), new_id()
        _, wrapped = vault.new_key(f"case/{case_id}")
        key = vault.unwrap(wrapped, f"case/{case_id}")
        hidden = dict.fromkeys(sealing.PARTY_SEALED) | {"name": name, "phone": phone, "sex": "unknown"}
        whole = {**ROW, "id": case_id, "number": f"B-{case_id[-12:]}-{number}"[:24], "units": ["ninewa-1"]}
        rows[CaseRecord].append({name: value for name, value in whole.items() if name in columns})
        rows[CaseKey].append({"case_id": case_id, "key_id": wrapped.key_id, "wrapped": wrapped.sealed})
        sealed = sealing.seal_bytes(key, json.dumps(hidden).encode(), f"case/{case_id}/party/{party_id}")
        party = {"id": party_id, "case_id": case_id, "role": "affected", "index_version": folding.VERSION}
        rows[CaseParty].append({**party, "sealed": sealed})
        tokens.writelines(f"\\\\x{token.hex()}\t{case_id}\t{party_id}\n" for token in index.tokens(secret, hidden))
    for table, written in rows.items():
        session.connection().execute(insert(table), written)
    tokens.seek(0)
    cursor: Any = session.connection().connection.cursor()
    cursor.copy_expert("COPY search_token (token, case_id, party_id) FROM STDIN", tokens)
    return persons


def asked(people: People, persons: list[tuple[str, str, str]]) -> dict[str, Any]:
    """What somebody who looks for one of them types."""
    arabic, latin, phone = people.dice.choice(persons)
    words = (arabic if people.dice.random() < 0.5 else latin).split()
    kind = people.dice.randrange(5)
    if kind == 0:
        return {"reason": "measured", "phone": phone}
    parts = {1: words, 2: [words[0], words[-1]], 3: words[:2], 4: [words[-1]]}
    return {"reason": "measured", "name": " ".join(parts[kind])}


def ask(database: Database, values: dict[str, Any]) -> int:
    """One search, as the door does it; how many were found."""
    checked = FindPersons().load(values)
    with database.read() as session:
        finds = handlers.find_persons(session, checked, by=LEADING)
    with database.write_silently() as session:
        handlers.note_finds(session, finds, values["reason"], by=LEADING, now=START)
    return len(finds.items)


def measure(persons: int, queries: int) -> dict[str, Any]:
    """Fill a database and search it."""
    people = People()
    with private_postgres(durable=True) as server:
        url = server.create_database("search")
        migrate(url, "case")
        database = Database(url, service="case")
        database.info[sealing.VAULT] = Vault(lambda: [bytes(range(32))])
        try:
            known: list[tuple[str, str, str]] = []
            for _ in range(0, persons, AT_ONCE):
                with database.write_silently() as session:
                    known += fill(session, people, AT_ONCE)
            with database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
            taken, found = [], []
            for number in itertools.count(-20):
                values, started = asked(people, known), time.perf_counter()
                got = ask(database, values)
                if number >= 0:  # the first ones warm the server's memory
                    taken.append(1000 * (time.perf_counter() - started))
                    found.append(got)
                if number == queries - 1:
                    break
        finally:
            database.close()
    cuts = statistics.quantiles(taken, n=100)
    return {
        "persons": len(known),
        "queries": len(taken),
        "p50_ms": round(cuts[49], 1),
        "p99_ms": round(cuts[98], 1),
        "most_ms": round(max(taken), 1),
        "found": round(sum(1 for got in found if got) / len(found), 3),
    }


def main() -> None:
    """Read the command line, measure, say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.search", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--persons", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    result = measure(chosen.persons, chosen.queries)
    load = Path("/proc/loadavg")
    result["load"] = load.read_text().split()[0] if load.exists() else None
    print(json.dumps(result) if chosen.json else "\n".join(f"{name:>10}: {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
