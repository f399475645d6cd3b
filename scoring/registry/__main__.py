"""Promote, go back and look, by git tags: python -m scoring.registry --help."""

import argparse
import json
import sys
from pathlib import Path

from flowers.base.errors import BadInput
from scoring.output import run_command
from scoring.registry import fetch, promote, push, rollback, status, tags


def parse_version_argument(text):
    if not tags.VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version such as v1.2.0")
    return text


def build_parser():
    top = argparse.ArgumentParser(prog="python -m scoring.registry", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    add = commands.add_parser
    add("status", help="what is in each stage, checked or not, and what is on disk").add_argument(
        "--json", action="store_true"
    )
    for name, text in (
        ("promote", "check the workspace and put it into production"),
        ("canary", "check the workspace and put it beside production"),
    ):
        command = add(name, help=text)
        which = command.add_mutually_exclusive_group()
        which.add_argument("--version", type=parse_version_argument, help="such as v1.2.0")
        which.add_argument(
            "--bump", choices=("major", "minor", "patch"), help="the number that goes up (minor)"
        )
        command.add_argument(
            "--force", action="store_true", help="tag in spite of refusals; the tag names them"
        )
        if name == "canary":
            which.add_argument("--clear", action="store_true", help="end the canary")
    add("rollback", help="put an earlier version into production").add_argument(
        "--to", type=parse_version_argument, help="this version (default: the one before)"
    )
    add("push", help="send the models of the tags to the DVC remote, for other clones to fetch")
    add("history", help="every change of a stage, newest first")
    add(
        "fetch", help="bring the tagged model into models/production or models/canary"
    ).add_argument("--stage", choices=tags.STAGES, default="production")
    return top


def main(arguments=None):
    """Run one command; the exit code is 0, 1 for a refusal, 2 for wrong usage."""
    asked = build_parser().parse_args(arguments)
    try:
        if not Path("dvc.yaml").is_file():
            raise BadInput("there is no dvc.yaml here: run this from the root of the project")
        print(run_subcommand(asked))
    except BadInput as error:
        for reason in str(error).splitlines():
            print(f"{asked.command}: {reason}", file=sys.stderr)
        return 1
    return 0


def run_subcommand(asked):
    if asked.command == "status":
        found = status.collect_status()
        return json.dumps(found, indent=2) if asked.json else status.format_status(found)
    if asked.command == "history":
        return status.format_history()
    if asked.command == "fetch":
        return fetch.fetch_model(asked.stage)
    if asked.command == "push":
        return push.push_models()
    if asked.command == "rollback":
        return rollback.roll_back(asked.to)
    if asked.command == "canary" and asked.clear:
        return promote.clear_stage("canary")
    stage = "production" if asked.command == "promote" else "canary"
    return promote.promote_model(stage, asked.version, asked.bump, asked.force)


if __name__ == "__main__":
    try:
        status_code = run_command("scoring.registry", main)
    except KeyboardInterrupt:
        print("scoring.registry: interrupted; status says what is there", file=sys.stderr)
        status_code = 130
    sys.exit(status_code)
