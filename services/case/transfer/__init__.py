"""A case that goes to another governorate, with the person who fled there.

Promise: never two owners, and what was released arrives. A case has an *owner epoch*, 1 where it was recorded. Only
the owner may release it: in one commit it raises the epoch, is the owner no longer, and writes the whole case, sealed
to the receiving node's key, into its journal. The receiver is the owner from when it has taken that in, if the epoch is
higher than any it has known of the case. Between the two commits nobody is the owner: a case may be worked on by nobody
for a while, and by two never. Messages are facts of two journals; they may come twice, late and in any order, and each
side decides by a total table (`machine.py`) what a message still means to it.

The count stays where the incident was first recorded: there the row stays, read-only and counted. The receiver's row is
worked on and not counted. What crosses on the way (preview, case) is sealed; directorates carry it and cannot read it.

`machine.py` is pure; `content.py` puts a case into bytes and takes it out; `handlers/transfers.py` does the rest."""
