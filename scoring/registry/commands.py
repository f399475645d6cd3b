"""The commands of the registry; `scoring.cli` defines their options."""

import json
import sys
from pathlib import Path

import click

from flowers.base.errors import BadInput
from scoring.registry import promote, remotes, status, tags, transfer


def main(command, **options):
    """Run one command; returns the exit code: 0, or 1 if the command is refused."""
    version = options.get("version")
    if version is not None and not tags.VERSION.fullmatch(version):
        raise click.UsageError(f"{version!r} is not a version such as v1.2.0")
    try:
        if not Path("dvc.yaml").is_file():
            raise BadInput("no dvc.yaml here: run this command in the root of the project")
        text = run_subcommand(command, **options)
    except (BadInput, OSError) as error:
        for reason in str(error).splitlines():
            print(f"{command}: {reason}", file=sys.stderr)
        return 1
    print(text)
    return 0


def run_subcommand(command, as_json=False, clear=False, remote=None, **options):
    """Run a command and return the text to print."""
    if command not in ("status", "history", "push"):  # push compares with its remote
        for warning in remotes.require_all_tags():
            print(f"{command}: warning: {warning}", file=sys.stderr)
    match command:
        case "status":
            entries = status.collect_status()
            return json.dumps(entries, indent=2) if as_json else status.format_status(entries)
        case "history":
            return status.format_history()
        case "fetch":
            return transfer.fetch_model(**options)
        case "push":
            return transfer.push_models(remote)
        case "rollback":
            return promote.roll_back(**options)
        case "canary" if clear:
            return promote.clear_stage("canary")
    stage = "production" if command == "promote" else "canary"
    return promote.promote_model(stage, **options)
