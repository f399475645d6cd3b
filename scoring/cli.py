"""The command ``flowers``; ``python -m scoring.predict`` and others run one of its commands.

A command imports what it runs when it runs: help takes a fraction of a second.
"""

import os
import signal
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from click.shell_completion import shell_complete

from flowers.base.errors import BadInput, exit_on_interrupt
from scoring.output import run_command

ROOT = Path(__file__).resolve().parents[1]
PATH = click.Path(readable=False)  # for completion; each command checks its files
COMPLETION = "_FLOWERS_COMPLETE"  # set by the shell while it completes a command


class Command(click.Command):
    """A command with an example in its help; a `BadInput` is one line and exit code 2."""

    def __init__(self, *args, example="", **options):
        super().__init__(*args, **options)
        self.example = example

    def format_epilog(self, ctx, formatter):
        """Write the example, with the name by which the command was called."""
        with formatter.section("Example"):
            formatter.write_text(f"{ctx.command_path} {self.example}")

    def invoke(self, ctx):
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BadInput as error:
            raise click.UsageError(str(error), ctx) from error


class Group(Command, click.Group):
    """A command with subcommands."""

    command_class = Command
    group_class = type


def call_command(command, name, arguments=None):
    """Run a command by a name, which begins its errors and its example.

    Returns the exit code: that of the command, or 2 on wrong usage with one line on standard error.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with command.make_context(name, arguments) as context:
            return command.invoke(context) or 0
    except click.exceptions.Exit as done:  # after --help
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        path = error.ctx.command_path if getattr(error, "ctx", None) else name
        line = " ".join(error.format_message().split())
        print(f"{path.removeprefix('python -m ')}: {line}", file=sys.stderr)
        return error.exit_code


def run(command, module):
    """Run a command as ``python -m module``; ends the process."""
    sys.exit(run_command(module, partial(call_command, command, f"python -m {module}")))


def main():
    """Run the console command; ends the process."""
    if instruction := os.environ.get(COMPLETION):
        sys.exit(shell_complete(flowers, {}, "flowers", COMPLETION, instruction))
    sys.exit(run_command("flowers", partial(call_command, flowers, "flowers")))


def import_from_study(module):
    """Import a module of the study in the working folder, which is never installed."""
    if not Path(*module.split(".")).with_suffix(".py").is_file():
        raise BadInput("there is no study here: run this in the root of its repository")
    if Path.cwd() != ROOT:
        raise BadInput(
            f"this runs the code in {ROOT}: run python -m scoring in this folder instead"
        )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    imported = import_module(module)
    exit_on_interrupt(click.get_current_context().command_path.removeprefix("python -m "))
    return imported


def exclude_options(**options):
    """Raise a `click.UsageError` if several options are set."""
    names = [f"--{name}" for name, value in options.items() if value]
    if len(names) > 1:
        raise click.UsageError(f"{' and '.join(names)} exclude each other: give one of them")


@click.group(cls=Group, example="predict photo.jpg")
def flowers():
    """Classify photos, serve and promote models, detect drift, audit data sets."""


@flowers.command(example="photo.jpg folder --csv")
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@click.option(
    "--model", metavar="FOLDER", type=PATH, help="A model folder; default: as the server."
)
@click.option("--no-check", is_flag=True, help="Skip the golden images and library versions.")
def predict(files, as_json, as_csv, model, no_check):
    """Classify photos, and all photos in folders."""
    exclude_options(json=as_json, csv=as_csv)
    from scoring.predict import main

    return main(files, "json" if as_json else "csv" if as_csv else "table", model, not no_check)


@flowers.command()
def serve():
    """Start the scorer, an HTTP server.

    Its settings are environment variables, such as PORT=5001 and MODEL_DIR=models/candidate.
    """
    # Before the imports, which take a second: an early SIGHUP waits for the thread that reloads.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from scoring.server.process import main

    main()


@flowers.command(example="--shift grey -n 100")
@click.option("--shift", "name", metavar="NAME", help="Default: none; a wrong name lists all.")
@click.option("--share", default=1.0, show_default=True, help="Share of shifted photos.")
@click.option(
    "--ramp", "gradual", default=0, show_default=True, help="Photos over which it is reached."
)
@click.option(
    "--photos",
    metavar="FOLDER",
    type=PATH,
    help="One folder per class, or: synthetic; default: the test photos of the model.",
)
@click.option("--url", help="Address of a running scorer; by default one is started.")
@click.option("-n", "count", default=1000, show_default=True, help="Photos.")
@click.option("--seed", default=1, show_default=True, help="Seed of the random choice.")
def simulate(**options):
    """Send shifted photos to the scorer, with their true labels."""
    from scoring.simulate import main

    return main(**options)


@flowers.command(example="--acknowledge")
@click.option("--acknowledge", is_flag=True, help="First acknowledge the alert.")
def drift(acknowledge):
    """Look for drift in the prediction log of a study."""
    run_stage = import_from_study("stages.support.run").run_stage
    from scoring import acknowledge as alerts

    if acknowledge and (code := alerts.main("acknowledge")):
        return code
    for stage in ("snapshot", "drift"):
        os.environ["DVC_STAGE"] = stage  # without the line that DVC has not recorded the stage
        run_stage(stage, import_from_study(f"stages.{stage}").main)
    return alerts.main("store")


@flowers.command(example="photos.zip --ignore README.txt")
@click.argument("dataset", type=PATH)
@click.option("--folder", metavar="FOLDER", type=PATH, help="Of the results; default: audit.")
@click.option("--ignore", multiple=True, metavar="NAME", help="File or folder to leave out.")
def audit(dataset, folder, ignore):
    """Measure leakage and copies in a data set.

    DATASET is a folder, archive or URL of photos in class folders. The parameters are those of the
    study in the working folder.
    """
    return import_from_study("study.audit").main(dataset, folder, ignore)


@flowers.group(example="promote --bump patch")
def registry():
    """Promote the models of a study by git tags."""


def run_registry(command, **options):
    """Run a command of the registry."""
    from scoring.registry.commands import main

    return main(command, **options)


@registry.command(example="--json")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json):
    """Show each stage, its checks, the folder and the server."""
    return run_registry("status", as_json=as_json)


def add_options(command):
    """Add the options of promote and canary to a command."""
    for option in (
        click.option("--force", is_flag=True, help="Tag in spite of failed checks; records them."),
        click.option(
            "--bump",
            type=click.Choice(["major", "minor", "patch"]),
            help="Number to increase; default: minor.",
        ),
        click.option("--version", metavar="VERSION", help="Such as v1.2.0."),
    ):
        command = option(command)
    return command


@registry.command(example="--bump patch")
@add_options
def promote(version, bump, force):
    """Check the model of HEAD and assign it to production."""
    exclude_options(version=version, bump=bump)
    return run_registry("promote", version=version, bump=bump, force=force)


@registry.command(example="--clear")
@add_options
@click.option("--clear", is_flag=True, help="Empty the canary stage.")
def canary(version, bump, force, clear):
    """Check the model of HEAD and assign it to the canary stage."""
    exclude_options(version=version, bump=bump, clear=clear)
    return run_registry("canary", version=version, bump=bump, force=force, clear=clear)


@registry.command(example="--to v1.0.0")
@click.option("--to", "version", metavar="VERSION", help="Default: the one before.")
def rollback(version):
    """Assign an earlier version to production."""
    return run_registry("rollback", version=version)


@registry.command(example="--stage canary")
@click.option("--stage", type=click.Choice(["production", "canary"]), default="production")
def fetch(stage):
    """Copy the tagged model into models/production or models/canary."""
    return run_registry("fetch", stage=stage)


@registry.command(example="--remote origin")
@click.option("--remote", metavar="NAME", help="Git remote; default: origin, or the only one.")
def push(remote):
    """Push the models to the DVC remote, then all tags to git."""
    return run_registry("push", remote=remote)


@registry.command()
def history():
    """List the changes of the stages, newest first."""
    return run_registry("history")
