"""What a command prints, where standard output is closed, full, or read by who has seen enough."""

import os
import sys

EXIT_FAILED = 2


def run_command(name, main):
    """Run a command to its end.

    Parameters
    ----------
    name : str
        Of the command, for the line that says what failed.
    main : callable
        Prints, and gives the exit code.

    Returns
    -------
    int
        That of `main`; 0 if the reader, such as head, went away, and 2 if the machine refused.
    """
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by who called: the exit code still tells
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))
    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence()
        return 0
    except OSError as error:
        _silence()
        print(f"{name}: {error}: make room, or let the output go elsewhere", file=sys.stderr)
        return EXIT_FAILED


def _silence():
    """Let Python end without another try to write what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
