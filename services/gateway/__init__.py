"""The gateway: the HTTP API of a node, and who may use it.

It holds no domain data. It knows accounts, establishes who is calling, checks the shape and the role, and asks the
service whose door it is, with a token of one minute that names the actor; the service checks both again. Nothing here
touches the broker while an officer waits: a request goes over HTTP to a service and ends in its database.

What it owns is in `gateway.db`: accounts, the audit of logins and role changes, and an outbox, because a role change is
a fact. Two background loops (`serve.py`) publish that outbox and tell notify the addresses it may write to; both may
fall behind without an officer noticing.

    app.py        puts it together      routes.py    one line per operation becomes URL, checks and OpenAPI
    auth.py       tokens and callers    doors.py     asking a service, and saying honestly when it does not answer
    accounts.py   use cases             answers.py   one shape of refusal, headers, the log line of a request
    forum.py case.py notify.py sync.py login.py account.py    the operations, one module for each service
"""
