"""A handler from anywhere: asked without identity, opened to one named user, for a limited time.

The home node keeps the case. What is sealed to a helper's node is opened when she reads it, after it was checked that
it is she and that the time is not over; then the row forgets it. Messages may come twice and in any order: what has no
meaning any more changes nothing, and a request that was closed before it arrived stays closed."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlmodel import Session, select

from contracts.case import GROUP, CaseStatus, Category, CategoryGroup, HandlerPreference, Language, NoteKind, Urgency
from contracts.case.handler_requests import HandlerRequestFact, RequestEvent, RequestSide, RequestStatus
from contracts.numbers import next_number
from kernel import audit, outbox
from kernel.errors import BadInput, MoveRefused, refuse
from kernel.fact import Fact, pack, unpack
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import telling
from services.case.handlers import letters
from services.case.handlers.finding import must_own, must_supervise, to_change
from services.case.handlers.letters import Post
from services.case.handlers.steps import told, write_note
from services.case.reach import reached, supervises
from services.case.refusals import NotATarget, NotOpenToYou, NotTransferable, PreferenceNeeded, RequestNotFound
from services.case.tables import AskedGovernorate, CaseRecord, HandlerOffer, HandlerRequest, NumberSequence
from services.case.transfer import content

PREFIX: Final = "H"
ASKABLE: Final = frozenset({CaseStatus.TRIAGED, CaseStatus.ASSIGNED, CaseStatus.IN_PROGRESS, CaseStatus.ON_HOLD})
OPEN_REQUEST: Final = frozenset({RequestStatus.ASKED, RequestStatus.OFFERED, RequestStatus.OPENED})
FROM_HOME: Final = frozenset({RequestEvent.ASKED, RequestEvent.OPENED, RequestEvent.CLOSED})


class _Asked(msgspec.Struct, frozen=True):
    """What a governorate is told of the case: nobody's identity, no district, no category but its group."""

    category_group: CategoryGroup
    language: Language
    urgency: Urgency
    handler_preference: HandlerPreference


def ask_for_handler(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, iso: str, post: Post
) -> HandlerRequest:
    """Ask other governorates. Raises `PreferenceNeeded`, `NotTransferable`, `NotATarget`, `MoveRefused`."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    _check_askable(session, case)
    targets = sorted(set(values["governorates"]) or post.reachable())
    for target in targets:
        if target not in post.governorates or target == post.node:
            refuse(NotATarget, node=target)
    row = HandlerRequest(
        id=new_id(),
        number=next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        version=0,
        side=RequestSide.HOME,
        status=RequestStatus.ASKED,
        home=post.node,
        case_id=case.id,
        category_group=GROUP[Category(case.category)],
        language=case.language,
        urgency=values["urgency"],
        handler_preference=case.handler_preference,
        asked_by=by.id,
        asked_at=now,
    )
    session.add(row)
    session.flush()
    asked = _Asked(row.category_group, row.language, row.urgency, row.handler_preference)
    for target in targets:
        session.add(AskedGovernorate(request_id=row.id, helper=target))
        _tell(session, row, RequestEvent.ASKED, target, now, post, sealed=msgspec.json.encode(asked))
    return row


def _check_askable(session: Session, case: CaseRecord) -> None:
    if case.status not in ASKABLE:
        current = case.status.value
        raise MoveRefused(f"The case is {current}; no handler is asked for it.", current=current)
    if case.handler_preference is HandlerPreference.ANY:
        refuse(PreferenceNeeded)
    if case.walled or case.walled_from:
        refuse(NotTransferable)
    if is_asked(session, case.id):
        raise MoveRefused("A request for this case is open already.", current=RequestStatus.ASKED.value)


def is_asked(session: Session, case_id: str) -> bool:
    """Whether a handler is asked for, or helps, with this case now."""
    mine = select(HandlerRequest.id).where(HandlerRequest.case_id == case_id, HandlerRequest.side == RequestSide.HOME)
    return session.exec(mine.where(HandlerRequest.status.in_(OPEN_REQUEST))).first() is not None


def list_handler_requests(session: Session, values: dict[str, Any], *, by: Actor) -> Page[HandlerRequest]:
    """What this node was asked, and what the caller's unit asked."""
    of_unit = select(CaseRecord.id).where(CaseRecord.unit == by.unit, reached(by))
    statement = select(HandlerRequest).where(
        (HandlerRequest.side == RequestSide.HELPER) | HandlerRequest.case_id.in_(of_unit)
    )
    if values["status"] is not None:
        statement = statement.where(HandlerRequest.status == values["status"])
    return page(session, statement, key=HandlerRequest.id, limit=values["limit"], after=values["after"])


def offers(session: Session, row: HandlerRequest, *, by: Actor) -> list[HandlerOffer]:
    """Who offered herself, for who supervises the case; nobody else is shown names."""
    case = session.get(CaseRecord, row.case_id) if row.case_id else None
    if case is None or not supervises(by, case):
        return []
    found = select(HandlerOffer).where(HandlerOffer.request_id == row.id)
    return list(session.exec(found.order_by(HandlerOffer.offered_at, HandlerOffer.helper)).all())


def offer_to_handle(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post
) -> HandlerRequest:
    """Offer oneself; the first of a node counts. Raises `MoveRefused`."""
    row = _helpers(session, values)
    if row.status is not RequestStatus.ASKED:
        raise MoveRefused(
            subject="request", current=row.status.value, target=RequestStatus.OFFERED.value, possible="nothing by hand"
        )
    row.status, row.handler_id = RequestStatus.OFFERED, by.id
    name = msgspec.json.encode({"name": by.name})
    return _tell(session, row, RequestEvent.OFFERED, row.home, now, post, sealed=name)


def open_to_handler(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post
) -> HandlerRequest:
    """Open the case to one who offered herself. Raises `MoveRefused`, `IdentityErased`, `TooLarge`."""
    row, case = _homes(session, values, by=by)
    found = offers(session, row, by=by)
    chosen = next((each for each in found if values["helper"] in (None, each.helper)), None)
    if row.status is not RequestStatus.OFFERED or chosen is None:
        raise MoveRefused(
            "Nobody has offered herself for this, or it is decided.", current=row.status.value, target="opened"
        )
    row.status, row.helper = RequestStatus.OPENED, chosen.helper
    row.open_until = now + timedelta(hours=post.rules.handler_open_hours)
    audit.record(
        session, actor=by, action="open_to_handler", subject=case.id, outcome="allowed", reason=chosen.helper, at=now
    )
    packed = content.pack_persons(session, case)
    return _tell(session, row, RequestEvent.OPENED, chosen.helper, now, post, sealed=packed)


def read_as_handler(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post
) -> tuple[HandlerRequest, content.Whole]:
    """The case, for her alone and in time. Raises `NotOpenToYou`, in the audit log either way."""
    row = _open_to(session, values, by=by, now=now)
    whole = content.unpack(letters.read(unpack(row.sealed or b""), origin=row.home, post=post))
    audit.record(
        session, actor=by, action="read_as_handler", subject=row.id, outcome="allowed", reason=row.number, at=now
    )
    return row, whole


def note_as_handler(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post
) -> HandlerRequest:
    """Write to the home of the case."""
    row = _open_to(session, values, by=by, now=now)
    text = msgspec.json.encode({"text": values["text"]})
    return _tell(session, row, RequestEvent.NOTED, row.home, now, post, sealed=text)


def close_handler_request(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post
) -> HandlerRequest:
    """Nobody else is to answer; whoever was asked is told."""
    row, _ = _homes(session, values, by=by)
    if row.status is RequestStatus.CLOSED:
        raise MoveRefused(subject="request", current="closed", target="closed", possible="nothing else")
    return _closed(session, row, now, post)


def close_requests_of(session: Session, case: CaseRecord, *, now: datetime, post: Post) -> None:
    """Close what is open for a case that is given away: its new owner asks anew."""
    mine = select(HandlerRequest).where(HandlerRequest.case_id == case.id, HandlerRequest.side == RequestSide.HOME)
    for row in session.exec(mine.where(HandlerRequest.status.in_(OPEN_REQUEST)).with_for_update()).all():
        _closed(session, row, now, post)


def _closed(session: Session, row: HandlerRequest, now: datetime, post: Post) -> HandlerRequest:
    row.status = RequestStatus.CLOSED
    asked = select(AskedGovernorate.helper).where(AskedGovernorate.request_id == row.id)
    for helper in sorted(session.exec(asked)):
        _tell(session, row, RequestEvent.CLOSED, helper, now, post)
    return row


def end_openings(session: Session, *, now: datetime, limit: int = 100) -> int:
    """Forget what was open and is so no longer; return how many."""
    over = select(HandlerRequest).where(HandlerRequest.status == RequestStatus.OPENED, HandlerRequest.open_until <= now)
    rows = session.exec(over.order_by(HandlerRequest.id).limit(limit).with_for_update(skip_locked=True)).all()
    for row in rows:
        row.status, row.sealed = RequestStatus.CLOSED, None
        session.add(row)
    return len(rows)


# What the other node says


def take_handler_request(session: Session, fact: Fact, *, origin: str, now: datetime, post: Post) -> None:
    """A message of the other node. Raises `BadInput` for one that its origin may not send, `CannotOpen`."""
    event = RequestEvent(fact.type.split(".")[1])
    values = fact.operational_values()
    if HandlerRequestFact().validate({**fact.statistical_values(), **values}):
        raise BadInput("This handler request is not of its published shape.")
    ends = (values["home"], values["helper"])
    if ends != ((origin, post.node) if event in FROM_HOME else (post.node, origin)):
        raise BadInput("This handler request is not its origin's to tell.")
    row = session.get(HandlerRequest, fact.subject, with_for_update=True)
    if row is not None and row.home != values["home"]:
        raise BadInput("This handler request is another node's.")
    said = letters.read(fact, origin=origin, post=post)  # a case that is opened is read here only to know whose it is
    if event in FROM_HOME:
        session.add(_as_helper(row, event, fact, values, said, now=now, node=post.node))
    elif row is not None:
        _as_home(session, row, event, _said(said), values["helper"], now=now, post=post)


def _as_helper(
    row: HandlerRequest | None,
    event: RequestEvent,
    fact: Fact,
    values: dict[str, Any],
    said: bytes,
    *,
    now: datetime,
    node: str,
) -> HandlerRequest:
    if row is None:
        return _begun(fact, event, values, said, now=now, node=node)
    if event is RequestEvent.CLOSED:
        row.status, row.sealed = RequestStatus.CLOSED, None
    elif event is RequestEvent.OPENED and row.status is RequestStatus.OFFERED:
        row.status, row.sealed, row.fact_id = RequestStatus.OPENED, pack(fact), fact.id
        row.open_until = datetime.fromisoformat(values["open_until"])
    return row


def _begun(
    fact: Fact, event: RequestEvent, values: dict[str, Any], said: bytes, *, now: datetime, node: str
) -> HandlerRequest:
    """The row of a request; one whose end came before it says nothing and stays closed."""
    asked = _Asked(CategoryGroup.OTHER, Language.OTHER, Urgency.NORMAL, HandlerPreference.ANY)
    if event is RequestEvent.ASKED:
        try:
            asked = msgspec.json.decode(said, type=_Asked)
        except msgspec.MsgspecError as error:
            raise BadInput("This handler request is not of its published shape.") from error
    return HandlerRequest(
        id=fact.subject,
        number=values["request_number"],
        version=0,
        side=RequestSide.HELPER,
        status=RequestStatus.ASKED if event is RequestEvent.ASKED else RequestStatus.CLOSED,
        home=values["home"],
        helper=node,
        category_group=asked.category_group,
        language=asked.language,
        urgency=asked.urgency,
        handler_preference=asked.handler_preference,
        asked_at=now,
    )


def _said(raw: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(raw, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise BadInput("This handler request is not of its published shape.") from error


def _as_home(
    session: Session,
    row: HandlerRequest,
    event: RequestEvent,
    said: dict[str, str],
    helper: str,
    *,
    now: datetime,
    post: Post,
) -> None:
    if event is RequestEvent.OFFERED and row.status in (RequestStatus.ASKED, RequestStatus.OFFERED):
        if session.get(HandlerOffer, (row.id, helper)) is None:
            session.add(HandlerOffer(request_id=row.id, helper=helper, name=said["name"][:200], offered_at=now))
        row.status = RequestStatus.OFFERED
        session.add(row)
    elif event is RequestEvent.NOTED and row.helper == helper:
        case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
        must_own(case)  # else the text stays with the dead letters, until somebody sends it after the case
        by = Actor(id=f"node:{helper}", name=helper, roles=frozenset(), node=helper)
        write_note(session, case, NoteKind.NOTE, said["text"], by=by, now=now)
        told(session, case, "noted", now=now, rules=post.rules)


def _tell(
    session: Session,
    row: HandlerRequest,
    event: RequestEvent,
    to: str,
    now: datetime,
    post: Post,
    *,
    sealed: bytes = b"",
) -> HandlerRequest:
    row.version += 1
    session.add(row)
    values = {
        "month": telling.month(now),
        "request_number": row.number,
        "home": row.home,
        "helper": to if row.side is RequestSide.HOME else post.node,
        "open_until": row.open_until,
    }
    letter = letters.written(
        HandlerRequestFact,
        event.value,
        subject=row.id,
        version=row.version,
        values=values,
        at=now,
        to=to,
        post=post,
        content=sealed,
    )
    outbox.append(session, letter)
    return row


def _homes(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[HandlerRequest, CaseRecord]:
    row = session.get(HandlerRequest, values["request_id"])
    case = session.get(CaseRecord, row.case_id, with_for_update=True) if row is not None and row.case_id else None
    if row is None or case is None or not supervises(by, case):
        refuse(RequestNotFound, subject=values["request_id"])
    session.refresh(row, with_for_update=True)
    return row, case


def _helpers(session: Session, values: dict[str, Any]) -> HandlerRequest:
    row = session.get(HandlerRequest, values["request_id"], with_for_update=True)
    if row is None or row.side is not RequestSide.HELPER:
        refuse(RequestNotFound, subject=values["request_id"])
    return row


def _open_to(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> HandlerRequest:
    row = _helpers(session, values)
    in_time = row.open_until is not None and now < row.open_until
    if row.status is not RequestStatus.OPENED or row.handler_id != by.id or not in_time or row.sealed is None:
        refuse(NotOpenToYou)
    return row
