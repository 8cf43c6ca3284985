"""`rivus` and `python -m rivus_tui`."""

from __future__ import annotations

import sys

from rivus_tui.cli.quick import asked_for_room, open_quickly


def main() -> None:
    """Run the command line and leave with its exit code."""
    asked = asked_for_room(sys.argv[1:])
    if asked is not None:
        sys.exit(open_quickly(asked))
    from rivus_tui.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
