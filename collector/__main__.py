"""The ``collector`` command, also as ``python -m collector``."""

import sys

_INTERRUPTED = 8
"""``app.outcome.PARTIAL``, which is not loaded yet."""


def main() -> None:
    """Load the command line, which takes a quarter of a second, and run it."""
    try:
        from collector.cli import main as command_line  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(_INTERRUPTED)
    command_line()


if __name__ == "__main__":
    main()
