"""What a node stops doing as its disk fills, in which order: recording a case is the last thing to stop."""

from typing import Final

from kernel.disk import CHATTER, Stage, Work

BUNDLES: Final = Work("bundles", Stage.LOW)
REPLICAS: Final = Work("what other nodes send", Stage.LOW)
MAIL: Final = Work("e-mail", Stage.SCARCE)
FORUM: Final = Work("changes to forums", Stage.SHORT)
NOTICES: Final = Work("changes to notifications and directives", Stage.SHORT)
ACCOUNTS: Final = Work("changes to accounts", Stage.LAST)
OPERATIONS: Final = Work("changes to links", Stage.LAST)
CASES: Final = Work("cases", None)

ORDER: Final = (CHATTER, BUNDLES, REPLICAS, MAIL, FORUM, NOTICES, ACCOUNTS, OPERATIONS, CASES)
