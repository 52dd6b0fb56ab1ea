"""The case service: record first, resolve second.

Promises. The class of a case follows from the answers given at intake (`intake.py`), is frozen in the same
commit as the case, and nothing lowers a count afterwards: settling informally, withdrawing or closing is an
outcome. Numbers have no gaps, so a record that is missing can be asked after. Who is in a case and what was
told stands apart from how the case stands, is shown to its own people or for a reason, and each showing is in
the audit log. Nobody approves their own act.

Order of a request: find and lock the case; is it in reach (`reach.py`), is the version the one that was seen;
may the caller do this; does the table of moves (`model.py`) allow it; do the guards; then row, texts and one
fact in one commit. What is refused changes nothing, also no number.

What a fact tells is decided in `contracts/case/facts.py` (shapes) and `telling.py` (small numbers). There is
one fact for each accepted request, whatever the case is about.

The wall (`wall.py`) keeps a case from those whom it names and from their chain of command; what is due next is
`next_steps.py`; when parties may be brought together is `mediating.py`. Referrals and what happens to them when nobody
answers: `referral.py`, `partners.py`. Cases between governorates: `transfer/`. What offices have today: `importing/`.
The whole life of a case, for people: docs/cases.md."""
