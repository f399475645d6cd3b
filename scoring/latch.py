"""Keep an alarm that rang until a person clears it: python -m scoring.latch keep | acknowledge."""

import argparse
import json
import sys
from pathlib import Path

from flowers.base.environment import read_log_dir, read_model_dir
from flowers.base.errors import BadInput
from flowers.log import alarms
from flowers.model import card
from flowers.model import folder as model_folder

REPORT = Path("metrics/drift.json")
DONE, REFUSED = 0, 2


def keep():
    """Write the alarm of the drift report into the log, once.

    Returns
    -------
    str
        What to print.
    """
    report = json.loads(REPORT.read_text()) if REPORT.is_file() else {}
    if not isinstance(report, dict):
        raise BadInput(f"{REPORT} holds no report: run make drift")
    if not (alarm := report.get("alarm")):
        return "nothing rang"
    if not alarm.get("latched"):
        alarms.append(read_log_dir(), alarms.ALARM, report["md5"], alarm)
    return f"the alarm of {alarm['detected_at']} stays: look, then make drift ACKNOWLEDGE=1"


def acknowledge():
    """Clear the alarm of the served model; the watch begins anew.

    Returns
    -------
    str
        What to print.
    """
    facts, _ = card.read_card(model_folder.find_model_folder("models", read_model_dir()))
    md5 = facts["model"]["md5"]
    _, alarm = alarms.standing(read_log_dir(), md5)
    if not alarm:
        return f"no alarm of this model stands in {read_log_dir()}: nothing to clear"
    alarms.append(read_log_dir(), alarms.ACKNOWLEDGEMENT, md5)
    return f"cleared the alarm of {alarm.get('detected_at')}; the watch begins anew"


def main(arguments=None):
    """Keep or clear an alarm.

    Returns
    -------
    int
        0, or 2 if there is no model or the log cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="python -m scoring.latch", description="Keep or clear the alarm of the drift report."
    )
    parser.add_argument("what", choices=("keep", "acknowledge"))
    options = parser.parse_args(arguments)
    try:
        print(f"scoring.latch: {acknowledge() if options.what == 'acknowledge' else keep()}")
    except (BadInput, OSError, ValueError, KeyError) as error:
        print(f"scoring.latch: {type(error).__name__}: {error}", file=sys.stderr)
        return REFUSED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
