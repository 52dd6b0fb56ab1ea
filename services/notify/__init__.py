"""Notify: whoever must act learns of it, and nobody else learns anything.

Facts come in, notifications go out. What happened elsewhere in the node comes over the broker and, because a broker may
lose everything, is asked for again from the sync service; each fact is handled once whichever way it came first. The
notification is a line of an inbox in notify.db, made in the same commit that remembers the fact. An e-mail is a second
row beside it, sent later, by itself, as often as it takes.

    facts, arrivals → handlers.facts → rules → notification, delivery → outgoing → mail
    sync (RPC)      → catching_up ↗                         ↘ handlers.inbox

Promises, and what keeps them:

- *Nothing of a case's content is ever said.* Texts have no placeholders (`texts`), a draft has no room for content
  (`model.Draft`), and tests search every text for the words of every category.
- *A complaint against police does not reach those it may name* (`rules.walled`).
- *Addresses stay here.* The gateway tells of accounts by the door `put_contact`; facts name an account by a keyed hash,
  which is compared with the hashes of our own contacts.
- *An e-mail is sent at least once or is dead with a cause.* It is marked before the conversation and settled after it,
  with no transaction open in between; one that may or may not have gone out is sent again under the same Message-ID.

A directive is issued at a directorate as a fact for its governorates, and acknowledged at each by name of role, as a
fact for the directorate that issued it.
"""
