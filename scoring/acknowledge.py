"""Store or acknowledge a drift alert, for flowers drift."""

import json
import sys
from pathlib import Path

from flowers.base.environment import read_log_dir, read_model_dir
from flowers.base.errors import BadInput
from flowers.log import alerts
from flowers.model import card
from flowers.model import folder as model_folder

REPORT = Path("monitoring/drift/drift.json")
DONE = 0
REFUSED = 2


def store_alert():
    """Append the alert of the drift report to the log, unless it is stored; returns a message."""
    report = json.loads(REPORT.read_text()) if REPORT.is_file() else {}
    if not isinstance(report, dict):
        raise BadInput(f"{REPORT} is not a drift report: run make drift")
    if not (alert := report.get("alert")):
        return "no alert"
    if not alert.get("stored"):
        alerts.append_alert_record(read_log_dir(), alerts.ALERT, report["md5"], alert)
    return f"alert of {alert['detected_at']} is stored: to acknowledge it, make drift ACKNOWLEDGE=1"


def acknowledge_alert():
    """Acknowledge the alert of the served model, which restarts monitoring; returns a message."""
    metadata, _ = card.read_card(model_folder.find_model_folder("models", read_model_dir()))
    md5 = metadata["model"]["md5"]
    _, alert = alerts.read_alert_state(read_log_dir(), md5)
    if not alert:
        return f"no alert of this model in {read_log_dir()}: nothing to acknowledge"
    alerts.append_alert_record(read_log_dir(), alerts.ACKNOWLEDGEMENT, md5)
    return f"acknowledged the alert of {alert.get('detected_at')}; monitoring restarts"


ACTIONS = {"store": store_alert, "acknowledge": acknowledge_alert}


def main(action):
    """Run an action; returns the exit code: 0, or 2 without a model, readable report or log."""
    try:
        print(f"acknowledge: {ACTIONS[action]()}")
    except (BadInput, OSError, ValueError, KeyError) as error:
        print(f"acknowledge: {type(error).__name__}: {error}", file=sys.stderr)
        return REFUSED
    return DONE
