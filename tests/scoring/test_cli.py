"""The command flowers: help with examples, errors of one line, quick imports."""

import contextlib
import os
import shlex
import subprocess
import sys

import click
import pytest

from scoring import cli
from tests.imports import ROOT


def list_commands(group=cli.flowers, words=()):
    for name, command in group.commands.items():
        yield pytest.param((*words, name), command, id=" ".join((*words, name)))
        if isinstance(command, click.Group):
            yield from list_commands(command, (*words, name))


def call(*words):
    return cli.call_command(cli.flowers, "flowers", words)


def run_python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("words", "command"), list(list_commands()))
def test_help_shows_an_example_that_is_a_valid_call(words, command, capsys):
    assert call(*words, "--help") == 0
    *_, title, example = capsys.readouterr().out.splitlines()
    assert title == "Example:"
    program, *arguments = shlex.split(example)
    assert program == "flowers" and tuple(arguments[: len(words)]) == words
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(cli.flowers.make_context("flowers", arguments))
        name, found, rest = cli.flowers.resolve_command(context, arguments)
        stack.enter_context(found.make_context(name, rest, parent=context))


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("drift", 2, "flowers drift: there is no study here"),
        ("audit photos", 2, "flowers audit: there is no study here"),
        ("registry status", 1, "status: no dvc.yaml here"),
        ("predict photo.jpg", 2, "flowers predict: no model in"),
        ("simulate -n 1", 2, "flowers simulate: no model in"),
        ("simulate --share half", 2, "flowers simulate: Invalid value for '--share'"),
        ("predict --model", 2, "flowers: Option '--model' requires an argument."),
        ("registry fetch --stage test", 2, "flowers registry fetch: Invalid value for '--stage'"),
        ("registry canary --clear --bump minor", 2, "flowers registry canary: --bump and --clear"),
        ("train", 2, "flowers: No such command 'train'."),
    ],
)
def test_a_refusal_is_one_line(words, code, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(*words.split()) == code
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith(text) and not output.out


def test_the_code_of_another_folder_does_not_run_in_a_study(tmp_path, monkeypatch, capsys):
    (tmp_path / "study").mkdir()
    (tmp_path / "study/audit.py").touch()
    monkeypatch.chdir(tmp_path)
    assert call("audit", "photos") == 2
    assert f"this runs the code in {ROOT}: run python -m scoring" in capsys.readouterr().err


def test_drift_reads_the_log_and_changes_no_tracked_file(repo_copy, monkeypatch, capsys):
    monkeypatch.chdir(repo_copy.path)
    monkeypatch.setattr(cli, "ROOT", repo_copy.path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(repo_copy.path)])
    monkeypatch.setenv("DVC_STAGE", "")  # restored after the test
    assert call("drift", "--acknowledge") == 0
    output = capsys.readouterr()
    names = [line.partition(":")[0] for line in output.out.splitlines()]
    assert names == ["acknowledge", "snapshot", "drift", "acknowledge"]
    assert not output.err and (repo_copy.path / "monitoring/drift/drift.json").is_file()
    assert not repo_copy.run("git", "status", "--porcelain").stdout


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [
        ("cli.call_command(cli.flowers, 'flowers', ['--help'])", ("numpy", "flask", "dvc", "yaml")),
        ("import scoring.predict", ("flask", "werkzeug", "dvc", "matplotlib", "requests")),
    ],
)
def test_a_command_imports_nothing_slow_that_it_does_not_use(arguments, modules):
    code = f"import sys; from scoring import cli; {arguments}; print(*sys.modules)"
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split()) & set(modules)


@pytest.mark.parametrize(
    ("words", "completions"),
    [("reg", "plain,registry"), ("registry pro", "plain,promote"), ("predict ph", "file,ph")],
)
def test_a_shell_completes_commands_and_files(words, completions):
    line = f"flowers {words}"
    settings = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    done = run_python("-m", "scoring", **settings, _FLOWERS_COMPLETE="bash_complete")
    assert done.stdout.strip() == completions
