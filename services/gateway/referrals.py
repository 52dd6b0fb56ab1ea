"""Operations of referrals and of the partner directory.

Two of them are for offices without an account: who has a referral's number and its one-time code reads the minimum
sheet, and answers once. Guesses are slowed down here by address and counted by the case service for each referral.
"""

from functools import partial
from math import ceil

from flask import request

from contracts import case as contract
from contracts.roles import (
    CASE_READ,
    PARTNER_LIST,
    PARTNER_READ,
    PARTNER_VET,
    REFERRAL_ANSWER,
    REFERRAL_WRITE,
    Role,
)
from kernel.clock import now
from kernel.errors import JisrError, TooManyRequests
from kernel.identity import Actor
from services.gateway import routes as route
from services.gateway.state import Call

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

REFERRAL = "/referrals/<referral_id>"
PARTNER = "/partners/<partner_id>"


def by_code(call: Call) -> bytes:
    """Ask the case service in nobody's name: the code is what it believes. A wrong one counts for the address."""
    codes, address = call.gateway.codes, request.remote_addr or "unknown"
    wait = ceil(codes.wait(address, now()).total_seconds())
    if wait > 0:
        error = TooManyRequests()
        error.retry_after = wait
        raise error
    actor = Actor("code", "", frozenset({Role.REFERRAL_PARTNER}), call.gateway.node)
    try:
        return call.gateway.doors.call("case", call.operation, call.values, actor=actor, request_id=call.request_id)
    except JisrError as error:
        if error.code == "wrong_code":
            codes.failed(address, now())
        raise


routes = (
    make("/cases/<case_id>/referrals", "send_referral", contract.SendReferral, contract.ReferralView, REFERRAL_WRITE,
         "Ask another office to help; sent once the person has agreed"),
    get("/cases/<case_id>/referrals", "list_referrals", contract.ReferralQuery, contract.ReferralPage, CASE_READ,
        "The referrals of a case"),
    act(f"{REFERRAL}/ask", "ask_consent", contract.AskConsent, contract.ReferralView, REFERRAL_WRITE,
        "The person was asked whether it may be sent"),
    act(f"{REFERRAL}/send", "dispatch_referral", contract.DispatchReferral, contract.ReferralView, REFERRAL_WRITE,
        "Send what was prepared: with consent, or with a supervisor's reason"),
    act(f"{REFERRAL}/deliver", "deliver_referral", contract.DeliverReferral, contract.ReferralView, REFERRAL_ANSWER,
        "The office has it in hand"),
    act(f"{REFERRAL}/accept", "accept_referral", contract.AcceptReferral, contract.ReferralView, REFERRAL_ANSWER,
        "The office takes it"),
    act(f"{REFERRAL}/reject", "reject_referral", contract.RejectReferral, contract.ReferralView, REFERRAL_ANSWER,
        "The office does not take it"),
    act(f"{REFERRAL}/begin", "begin_referral", contract.BeginReferral, contract.ReferralView, REFERRAL_ANSWER,
        "The office has begun"),
    act(f"{REFERRAL}/complete", "complete_referral", contract.CompleteReferral, contract.ReferralView, REFERRAL_ANSWER,
        "What was asked for has been done"),
    act(f"{REFERRAL}/not-complete", "not_complete_referral", contract.NotCompleteReferral, contract.ReferralView,
        REFERRAL_ANSWER, "The office could not finish"),
    act(f"{REFERRAL}/confirm", "confirm_referral", contract.ConfirmReferral, contract.ReferralView, REFERRAL_WRITE,
        "The person says what came of it"),
    act(f"{REFERRAL}/revoke", "revoke_referral", contract.RevokeReferral, contract.ReferralView, REFERRAL_WRITE,
        "Take it back, before it is completed"),
    act(f"{REFERRAL}/sheet", "read_sheet", contract.ReadSheet, contract.SheetView, REFERRAL_ANSWER,
        "The minimum sheet, as the office asked sees it"),
    act(f"{REFERRAL}/code", "issue_code", contract.IssueCode, contract.CodeView, REFERRAL_WRITE,
        "A one-time code for an office without an account, shown once"),
    get(f"{REFERRAL}/suggestions", "suggest_partners", contract.SuggestionQuery, contract.PartnerPage, REFERRAL_WRITE,
        "Partners to ask instead, best first"),
    act("/answers/sheet", "sheet_by_code", contract.SheetByCode, contract.SheetView, None,
        "The minimum sheet, for who has a referral's number and its one-time code", does=by_code),
    act("/answers", "answer_by_code", contract.AnswerByCode, contract.AnswerTaken, None,
        "Answer a referral with its one-time code", does=by_code),
    route.make("/partners", "list_partner", contract.ListPartner, contract.PartnerView, PARTNER_LIST,
               "Enter a partner; it can be asked once somebody else has vetted it"),
    route.get("/partners", "list_partners", contract.PartnerQuery, contract.PartnerPage, PARTNER_READ,
              "The partner directory, with how each has answered this node"),
    route.get(PARTNER, "get_partner", contract.PartnerName, contract.PartnerView, PARTNER_READ, "One partner"),
    route.act(f"{PARTNER}/vet", "vet_partner", contract.VetPartner, contract.PartnerView, PARTNER_VET,
              "Vouch for a partner until a day; never one's own entry"),
    route.act(f"{PARTNER}/suspend", "suspend_partner", contract.SuspendPartner, contract.PartnerView, PARTNER_VET,
              "Let nobody ask it until it is vetted again"),
)
operations = route.blueprint(
    "referrals", "Referrals at a governorate; the partner directory everywhere.", routes, service="case"
)
