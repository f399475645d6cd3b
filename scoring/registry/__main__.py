"""Promote models by git tags: python -m scoring.registry --help."""

import argparse
import json
import sys
from pathlib import Path

from flowers.base.errors import BadInput, exit_on_interrupt

exit_on_interrupt("scoring.registry")

from scoring.output import run_command  # noqa: E402
from scoring.registry import promote, remotes, status, tags, transfer  # noqa: E402


def parse_version_argument(text):
    """Accept a version for argparse."""
    if not tags.VERSION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a version such as v1.2.0")
    return text


def build_parser():
    """Build the command-line parser."""
    parser = argparse.ArgumentParser(prog="python -m scoring.registry", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser
    add("status", help="show each stage, its checks, the folder and the server").add_argument(
        "--json", action="store_true"
    )
    for name, text in (
        ("promote", "check the model of HEAD and assign it to production"),
        ("canary", "check the model of HEAD and assign it to the canary stage"),
    ):
        command = add(name, help=text)
        group = command.add_mutually_exclusive_group()
        group.add_argument("--version", type=parse_version_argument, help="such as v1.2.0")
        group.add_argument(
            "--bump",
            choices=("major", "minor", "patch"),
            help="number to increase (default: minor)",
        )
        command.add_argument(
            "--force", action="store_true", help="tag in spite of failed checks, and record them"
        )
        if name == "canary":
            group.add_argument("--clear", action="store_true", help="empty the canary stage")
    add("rollback", help="assign an earlier version to production").add_argument(
        "--to", type=parse_version_argument, help="version (default: the one before)"
    )
    add("push", help="push the models to the DVC remote, then all tags to git").add_argument(
        "--remote", metavar="NAME", help="git remote (default: origin, or the only one)"
    )
    add("history", help="list the changes of the stages, newest first")
    add("fetch", help="copy the tagged model into models/production or models/canary").add_argument(
        "--stage", choices=tags.STAGES, default="production"
    )
    return parser


def main(arguments=None):
    """Run one command.

    Returns
    -------
    int
        0, or 1 if the command is refused; argparse exits with 2 on wrong usage.
    """
    options = build_parser().parse_args(arguments)
    try:
        if not Path("dvc.yaml").is_file():
            raise BadInput("no dvc.yaml here: run this command in the root of the project")
        print(run_subcommand(options))
    except BrokenPipeError:
        raise
    except (BadInput, OSError) as error:
        for reason in str(error).splitlines():
            print(f"{options.command}: {reason}", file=sys.stderr)
        return 1
    return 0


def run_subcommand(options):
    """Run a parsed command and return the text to print."""
    if options.command not in ("status", "history", "push"):  # push compares with its remote
        for warning in remotes.require_all_tags():
            print(f"{options.command}: warning: {warning}", file=sys.stderr)
    match options.command:
        case "status":
            entries = status.collect_status()
            return json.dumps(entries, indent=2) if options.json else status.format_status(entries)
        case "history":
            return status.format_history()
        case "fetch":
            return transfer.fetch_model(options.stage)
        case "push":
            return transfer.push_models(options.remote)
        case "rollback":
            return promote.roll_back(options.to)
        case "canary" if options.clear:
            return promote.clear_stage("canary")
    stage = "production" if options.command == "promote" else "canary"
    return promote.promote_model(stage, options.version, options.bump, options.force)


if __name__ == "__main__":
    sys.exit(run_command("scoring.registry", main))
