"""The scorer with a stopwatch at each part of an answer: python -m benchmarks.timed.

It is the scorer of ``python -m scoring.server``. When it ends it writes what each part took to the
file that TIMES names: pairs of the time on the monotonic clock and the seconds, by the part's name.
"""

import atexit
import json
import os
import time
from collections import defaultdict
from functools import wraps
from pathlib import Path

from flowers.model.predictor import predictor as model
from scoring.server.__main__ import main
from scoring.server.answering import Answering
from scoring.server.scorer import Scorer

TIMES = defaultdict(list)  # appending is safe between threads
# What a request waits for is in its part: a turn in "read", the call before in "model" and "log".
PARTS = {
    "read": (Answering, "_prepared"),
    "features": (model, "extract_features"),
    "model": (Answering, "_told"),
    "log": (Scorer, "write"),
}


def timed(name, owner, attribute):
    """Put a stopwatch at a function."""
    function = getattr(owner, attribute)

    @wraps(function)
    def watched(*arguments, **options):
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            TIMES[name].append((start, time.perf_counter() - start))

    setattr(owner, attribute, watched)


def write():
    # The master ends as well, and has answered nothing.
    if "log" in TIMES:
        Path(os.environ["TIMES"]).write_text(json.dumps(TIMES))


if __name__ == "__main__":
    for name, place in PARTS.items():
        timed(name, *place)
    atexit.register(write)
    main()
