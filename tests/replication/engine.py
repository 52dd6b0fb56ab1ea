"""Runs one engine as a process: `python -m tests.replication.engine SETTINGS`."""

import sys

from kernel import log
from kernel.errors import JisrError
from kernel.settings import load
from services.sync import engine


def main() -> int:
    settings = load(sys.argv[1])
    log.configure(settings.log_level)
    try:
        engine.run(settings)
    except JisrError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
