"""The two ways input can be wrong: one photo is set aside, or the run stops; and Ctrl-C."""

import os
import sys

INTERRUPTED = 130


class BadInput(ValueError):
    """The run cannot go on; the message names the value, the file and the remedy."""


class Rejected(ValueError):
    """One photo cannot be used; it is reported and set aside.

    Parameters
    ----------
    reason : str
        A short, countable reason, the same for every photo with this fault.
    detail : str, optional
        What is particular to this photo.
    """

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def say_interrupts(name):
    """Make Ctrl-C one line and exit code 130 where nothing catches it, as while modules load.

    Parameters
    ----------
    name : str
        Who was interrupted.
    """
    otherwise = sys.excepthook

    def said(kind, error, trace):
        if not issubclass(kind, KeyboardInterrupt):
            return otherwise(kind, error, trace)
        print(f"{name}: interrupted", file=sys.stderr, flush=True)
        # Nothing is open that has to be closed, and Python would end by the signal instead.
        os._exit(INTERRUPTED)

    sys.excepthook = said
