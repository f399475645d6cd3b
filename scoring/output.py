"""Standard output of commands: closed, full, or a pipe whose reader has exited."""

import os
import sys
import warnings

from flowers.base.errors import exit_on_interrupt

EXIT_FAILED = 2


def run_command(name, main):
    """Run the main function of a command and handle an output that cannot be written.

    Parameters
    ----------
    name : str
        Of the command, for the error message.
    main : callable
        Prints, and returns the exit code.

    Returns
    -------
    int
        That of `main`; 0 if the reader of the output, such as head, has exited; 2 if a write
        fails. Ctrl-C ends the process with one line and exit code 130.
    """
    exit_on_interrupt(name)
    # joblib warns of results that are not used, such as those after the reader has exited.
    message = r"\d+ tasks (have been successfully executed|which were still being processed)"
    warnings.filterwarnings("ignore", message, UserWarning)
    for name_of_stream in ("stdout", "stderr"):
        if getattr(sys, name_of_stream) is None:  # closed by the parent process
            setattr(sys, name_of_stream, open(os.devnull, "w", encoding="utf-8"))
        stream = getattr(sys, name_of_stream)
        unicode = stream.encoding.lower() in ("utf-8", "utf8")  # it can write any file name
        stream.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")
    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        print(f"{name}: {error}: free space or redirect the output", file=sys.stderr)
        return EXIT_FAILED


def _discard_output():
    """Keep Python from writing its buffer again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
