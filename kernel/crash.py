"""Named crash points: where the fault tests kill a process with SIGKILL, as a power cut would.

Set `JISR_CRASH_AT=<name>` to arm one; with `JISR_CRASH_ONCE=<file>` it strikes only while that file does not exist,
so that the restarted process lives. Not set, `here` costs one dictionary look-up.
"""

import os
import signal
from pathlib import Path

POINTS = {
    "before_commit": "a service wrote a row and its fact, and has not committed",
    "after_commit": "a service committed a row and its fact; nobody has been answered",
    "after_outbox_commit": "a service committed a row and its fact; the relay has not seen it",
    "after_relay_publish": "a slice of an outbox was written to the socket; the broker may not have confirmed it",
    "mid_journal": "the recorder is inside the transaction that appends to the journal",
    "after_publish": "a batch was written to the socket; the broker has not confirmed it",
    "after_journal_commit": "the recorder committed; the broker has not been acknowledged",
    "mid_apply": "a replica is inside the transaction that applies a batch",
    "after_apply": "a replica committed a batch; the sender has not been told",
    "before_fold": "a replica committed entries whose records will follow; it has folded none of them",
    "mid_fold": "a replica is inside the transaction that folds records beside the entries that come next",
    "after_acknowledge": "a replica acknowledged a batch to the broker; the sender has not been told",
    "after_relay": "a directorate committed what it relays; no link has been told",
    "after_mail": "the mail server took an e-mail; nobody has written that down",
}


def here(name: str) -> None:
    """Die now if this point is armed."""
    if os.environ.get("JISR_CRASH_AT") != name:
        return
    once = os.environ.get("JISR_CRASH_ONCE")
    if once:
        try:
            Path(once).touch(exist_ok=False)
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
