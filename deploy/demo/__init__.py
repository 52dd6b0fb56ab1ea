"""A country on loopback: every node a real node, every link a line that can be cut.

`bash deploy/demo.sh` prepares Python and RabbitMQ and runs this package; `python -m deploy.demo --help` shows
what it can do. The parts: `brokers` (one private broker, or the one that was given), `layout` (each node's
home, keys and settings), `country` (starts, watches and stops the processes), `client` (the API as a user's
program meets it), `sample` and `people` (invented data), `table` (what is shown), `check` and `search` (the
proof of the main job).

Everything is below one directory. Nothing is started that is not stopped again: each process dies with the
demo, by the kernel's hand where the demo itself is killed.
"""
