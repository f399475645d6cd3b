"""The two ways input can be wrong: one photo is set aside, or the run stops; and Ctrl-C."""

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker

INTERRUPTED = 130


class BadInput(ValueError):
    """The run cannot go on; the message names the value, the file and the remedy."""


class RejectedImage(ValueError):
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


def install_interrupt_message(name):
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


@contextmanager
def shield_workers():
    """Keep Ctrl-C from the processes that are started inside; this one gets it as always.

    A terminal sends it to all of them, and each would say so in its own words, or wait for one that
    is gone. A signal that is blocked stays so in what a thread starts: a thread of its own takes
    it, and passes it on to the main one by another name.
    """
    main = threading.main_thread()
    if (
        threading.current_thread() is not main
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    resource_tracker.ensure_running()  # it unblocks the signal where it is started
    usual = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    over = threading.Event()

    def pass_on():
        while signal.sigwait({signal.SIGINT}) and not over.is_set():
            signal.pthread_kill(main.ident, signal.SIGUSR1)

    thread = threading.Thread(target=pass_on, name="interrupts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        signal.pthread_kill(thread.ident, signal.SIGINT)
        thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGUSR1, usual)


def exit_on_interrupt(line):
    """End this process and all that it has started, at once, because of Ctrl-C.

    Workers and clusters that are told to stop while they start, or work, take seconds for it and
    have much to say.

    Parameters
    ----------
    line : str
        The last word, on standard error.
    """
    import psutil  # heavy, and seldom needed

    print(line, file=sys.stderr, flush=True)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    os._exit(INTERRUPTED)
