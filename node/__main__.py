"""`python -m node` is the command `jisr`."""

from node.cli import main

main()
