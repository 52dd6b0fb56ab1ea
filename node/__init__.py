"""One node: what starts its processes, and the command line `jisr` with which an operator runs it."""
