"""Errors of input, a wrong value or an unusable image, and the exit on Ctrl-C."""

import os
import sys
from pathlib import Path

INTERRUPTED = 130  # exit code of a process that Ctrl-C ended: 128 + SIGINT


class BadInput(ValueError):
    """A wrong value that stops the run; the message names value, file and remedy in one line."""


class RejectedImage(ValueError):
    """One image cannot be used; it is listed with its reason and the run continues.

    Parameters
    ----------
    reason : str
        A short reason, the same for every image with this fault, so that reasons can be counted.
    detail : str, optional
        What is particular to this image.
    """

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def exit_on_interrupt(name=None):
    """Turn an unhandled Ctrl-C into one line on standard error and exit code 130.

    The process exits without waiting for workers. Call it before slow imports: a traceback of a
    half-loaded module is no help.

    Parameters
    ----------
    name : str, optional
        Begins the line. Default: the file name of the running program without its suffix.
    """
    previous = sys.excepthook

    def report(kind, error, trace):
        if not issubclass(kind, KeyboardInterrupt):
            previous(kind, error, trace)
            return
        print(f"{name or Path(sys.argv[0]).stem}: interrupted", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    sys.excepthook = report
