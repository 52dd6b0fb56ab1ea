"""What must be so once everything is healed: the ledger against the databases, and the databases against each other.

Nothing here asks the code under proof what is right, but for one check, which asks it to prove itself (`verify`). Each
check returns sentences; none means that all is well.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import func, select

from deploy.demo.client import Api
from deploy.demo.compare import Own, case_differences, differences, newest_first
from kernel.idempotency import StoredAnswer
from kernel.recovered import RecoveredRecord
from services.case.tables import CaseRecord
from services.sync.tables import Arrival, JournalEntry, Parked, Quarantine, Record, ReplicaEntry, Witnessed
from services.sync.verify import verify_journal, verify_replica
from tests.faults.country import PASSWORD, Country
from tests.faults.ledger import Ledger, Word
from tests.faults.servers import NODES, VHOST
from tests.kit.small_country import BAGHDAD, DIRECTORATES, GOVERNORATES, LINKS

Findings = Iterator[str]
Check = Callable[[Country, Ledger], Findings]
SHOWN = 5
READABLE: Any = JournalEntry.type != "withheld"


def findings(country: Country, ledger: Ledger) -> list[str]:
    """Everything that is not as it must be."""
    return [sentence for check in CHECKS for sentence in check(country, ledger)]


def every_write_once_at_its_origin(country: Country, ledger: Ledger) -> Findings:
    """An accepted write stands once in the service's own rows and once in the journal; an uncertain one once or never.

    Which row came of an uncertain request says the answer that the service kept beside it, in the same commit. Of a
    restricted case whose machine went back, and which only a statistical link had reached, a leaf is all there is: as
    many writes may be missing as the journal has such lines.
    """
    for node in GOVERNORATES:
        facts, versions = _facts(country, node)
        with country[node].reading("case") as session:
            rows: dict[str, int] = dict(map(tuple, session.execute(select(CaseRecord.id, CaseRecord.version))))
            answers: dict[str, bytes] = dict(map(tuple, session.execute(select(StoredAnswer.key, StoredAnswer.answer))))
        there = rows.keys() | _recovered(country, node)
        known, missing = set(), []
        for write in ledger.of(node, "opened"):
            subject = write.subject or (json.loads(answers[write.key])["id"] if answers.get(write.key) else "")
            known.add(subject)
            if write.word is Word.ACCEPTED and subject not in there:
                missing.append(f"{node}: {write.key} was accepted as case {subject}, which is not there")
            if write.word is Word.REFUSED:
                yield f"{node}: the case of {write.key} was refused: {write.status} {write.code}"
            if facts["case.opened.v1", subject] != (subject in there):
                yield f"{node}: the fact that opened {subject} is there {facts['case.opened.v1', subject]} times"
        lost = sum(write.word is Word.UNCERTAIN for write in ledger.of(node, "opened")) if country.recovered else 0
        strange = sorted(there - known)
        if len(strange) > lost:  # after a recovery the answers that were kept beside them are gone
            yield f"{node}: {len(strange)} cases that nobody opened, or that were opened twice: {strange[:SHOWN]}"
        for write in ledger.of(node, "triaged"):
            times = facts["case.triaged.v1", write.subject]
            if times == 0 and write.word is Word.ACCEPTED:
                missing.append(f"{node}: {write.subject} was triaged, and there is no fact of it")
            if times > 1:
                yield f"{node}: {write.subject} was triaged ({write.word}), its fact is there {times} times"
        if len(missing) > _leaves(country, node):
            yield from missing
        yield from _versions(country, node, rows, versions)


def _versions(country: Country, node: str, rows: dict[str, int], versions: dict[str, list[int]]) -> Findings:
    """Every version of a case is one fact. After a recovery two histories are in the journal: the last one counts."""
    recovered = _recovered(country, node)
    for subject in sorted(rows.keys() | versions.keys() - recovered - country.invented):
        told = sorted(versions.get(subject, ()))
        row = rows.get(subject, 0)
        if row != (told[-1] if told else 0) or (told != list(range(1, row + 1)) and not country.recovered):
            yield f"{node}: case {subject} has version {row}, the journal tells of {told}"


def _recovered(country: Country, node: str) -> set[str]:
    """Cases of which a recovery brought back the facts, and nobody could bring back the persons."""
    with country[node].reading("case") as session:
        return set(session.scalars(select(RecoveredRecord.subject).where(RecoveredRecord.kind == "case")))


def _leaves(country: Country, node: str) -> int:
    """Lines of a journal that came back from a directorate which had not been shown what they say."""
    return country[node].count(JournalEntry, ~READABLE)


def _facts(country: Country, node: str) -> tuple[Counter[tuple[str, str]], dict[str, list[int]]]:
    """How often each type of fact about each subject stands in a journal; and the versions of each case."""
    counted: Counter[tuple[str, str]] = Counter()
    versions: dict[str, list[int]] = defaultdict(list)
    with country[node].reading() as session:
        for type_, head in session.execute(select(JournalEntry.type, JournalEntry.head).where(READABLE)):
            said = json.loads(head)
            counted[type_, said["subject"]] += 1
            if type_.startswith("case."):
                versions[said["subject"]].append(said["version"])
    return counted, versions


def every_entry_once_where_it_must_be(country: Country, ledger: Ledger) -> Findings:
    """A replica has the same digest at every number as the journal: the same entries, in the same order, once."""
    for origin in NODES:
        own = _chain(country, origin, select(JournalEntry.number, JournalEntry.digest).order_by(JournalEntry.number))
        if [number for number, _ in own] != list(range(1, len(own) + 1)):
            yield f"{origin}: the numbers of its journal are not dense"
        for destination in country.held_by(origin):
            entries = select(ReplicaEntry.number, ReplicaEntry.digest).where(ReplicaEntry.origin == origin)
            held = _chain(country, destination, entries.order_by(ReplicaEntry.number))
            if held != own:
                first = next(
                    (at for at, pair in enumerate(zip(own, held, strict=False), 1) if pair[0] != pair[1]), None
                )
                where = first or min(len(own), len(held)) + 1
                yield f"{destination} holds {len(held)} of {len(own)} entries of {origin}; first difference at {where}"


def _chain(country: Country, node: str, statement: Any) -> list[tuple[int, bytes]]:
    with country[node].reading() as session:
        return [(number, bytes(digest)) for number, digest in session.execute(statement)]


def every_record_is_what_was_written(country: Country, ledger: Ledger) -> Findings:
    """Records are, field by field, what the origin wrote and the link may show; cases by the API too."""
    for origin, destination in LINKS:
        clearance = country.topology.nodes[origin].links[destination]
        records = _records(country, destination, origin)
        wrong, compared, _ = differences(_own(country, origin), records, destination, clearance)
        if records and not compared:
            yield f"{destination} holds {len(records)} records of {origin}, and nothing was compared"
        yield from (f"{destination} holds of {origin}: {sentence}" for sentence in wrong)
    for origin in GOVERNORATES:
        yield from _as_its_officers_see_it(country, origin)


def _as_its_officers_see_it(country: Country, origin: str) -> Findings:
    api = Api(f"http://127.0.0.1:{country[origin].ports['gateway']}")
    api.log_in("director", PASSWORD)
    cases = {case["id"]: case for case in api.every("/cases")}
    apart = country.invented | (_recovered(country, origin) - cases.keys())
    for destination in DIRECTORATES:
        clearance = country.topology.nodes[origin].links[destination]
        for record in _records(country, destination, origin):
            if record["kind"] != "case" or record["subject"] in apart:
                continue
            if record["subject"] not in cases:
                yield f"{destination} holds case {record['subject']}, which {origin} does not show"
                continue
            wrong, _ = case_differences(cases[record["subject"]], record, clearance)
            yield from (f"{destination} holds of {origin}: {sentence}" for sentence in wrong)


def _own(country: Country, origin: str) -> dict[tuple[str, str], list[Own]]:
    with country[origin].reading() as session:
        columns = (JournalEntry.number, JournalEntry.type, JournalEntry.head)
        parts = (JournalEntry.statistical, JournalEntry.operational, JournalEntry.restricted)
        return newest_first(session.execute(select(*columns, *parts).where(READABLE)))


def _records(country: Country, node: str, origin: str) -> list[dict[str, Any]]:
    with country[node].reading() as session:
        return [row.model_dump() for row in session.scalars(select(Record).where(Record.origin == origin))]


def every_directive_arrived_once(country: Country, ledger: Ledger) -> Findings:
    """An accepted directive is one arrival at each governorate, an uncertain one at most one."""
    issued, _ = _facts(country, BAGHDAD)
    for write in ledger.of(BAGHDAD, "directive", Word.ACCEPTED):
        if issued["directive.issued.v1", write.subject] != 1:
            yield f"directive {write.subject} was accepted and is in the journal of {BAGHDAD} not once"
    for node in GOVERNORATES:
        with country[node].reading() as session:
            found = session.scalars(select(Arrival.envelope).where(Arrival.type == "directive.issued.v1"))
            arrived = Counter(json.loads(bytes(envelope))["head"]["subject"] for envelope in found)
        for (type_, subject), _ in issued.items():
            if type_ == "directive.issued.v1" and arrived[subject] != 1:
                yield f"directive {subject} arrived {arrived[subject]} times at {node}"


def every_chain_proves_itself(country: Country, ledger: Ledger) -> Findings:
    """The product's own proof, as in `jisr verify`, finds nothing."""
    for name in NODES:
        with country[name].reading() as session:
            reports = [verify_journal(session, name)]
            reports += [verify_replica(session, origin) for origin in NODES if name in country.held_by(origin)]
        for report in reports:
            if not report.ok:
                yield f"{name}: {report.what} of {report.origin}: at {report.altered}: {report.problem}"


def nothing_is_put_aside_but_what_was_injected(country: Country, ledger: Ledger) -> Findings:
    """Parked entries, messages in quarantine, dead letters, stories that differ: as many as the scenarios made."""
    for name in NODES:
        with country[name].reading() as session:
            found = {
                "parked": session.scalars(select(func.count()).select_from(Parked)).one(),
                "quarantined": session.scalars(select(func.count()).select_from(Quarantine)).one(),
                "told differently": session.scalars(
                    select(func.count()).select_from(Witnessed).where(Witnessed.differs_at.is_not(None))
                ).one(),
            }
        lengths = country[name].broker.queue_lengths(VHOST)
        found["dead letters"] = sum(length for queue, length in lengths.items() if queue.endswith(".dead"))
        for what, count in found.items():
            expected = country.put_aside[name, what]
            if count != expected:
                yield f"{name}: {count} {what}, {expected} were injected{_causes(country, name, what)}"


def _causes(country: Country, name: str, what: str) -> str:
    table: Any = {"parked": Parked, "quarantined": Quarantine}.get(what)
    if table is None:
        return ""
    with country[name].reading() as session:
        reasons: dict[str, int] = defaultdict(int)
        for reason in session.scalars(select(table.reason)):
            reasons[reason] += 1
    return f" ({'; '.join(f'{count} × {reason}' for reason, count in sorted(reasons.items())[:SHOWN])})"


def nobody_died_unasked(country: Country, ledger: Ledger) -> Findings:
    """No process ended but those that a scenario ended."""
    for name, times in country.deaths.items():
        yield f"{name} ended {times} times by itself"


CHECKS: tuple[Check, ...] = (
    every_write_once_at_its_origin,
    every_entry_once_where_it_must_be,
    every_record_is_what_was_written,
    every_directive_arrived_once,
    every_chain_proves_itself,
    nothing_is_put_aside_but_what_was_injected,
    nobody_died_unasked,
)
