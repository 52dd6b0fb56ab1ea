"""One use case, one function: a write session, checked values, who asks and when in; the changed row out.

Rows that change are locked for the transaction (PostgreSQL; on SQLite the whole database is), a meeting, concern or
action always before its forum, so that two requests cannot wait for each other.
"""
