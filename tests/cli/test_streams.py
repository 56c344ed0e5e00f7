"""Where a command prints need not take everything: one line then, and no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from dfsynth.cli import main; main()"]


def run(*arguments: str | bytes, stdout: int = subprocess.PIPE, **environment: str):
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [*COMMAND, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, **environment},
        check=False,
    )


def test_a_full_disk_behind_stdout_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = run("sources", stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"cannot be printed: No space left on device" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    """As behind `| head`: the pipe is closed before anything is printed."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run("sources", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "command",
    [
        ("build", "--out", "o.zarr", "--source", "LONG"),
        ("build", "--out", "o.zarr", "--source", "LONG/LONG*"),
        ("build", "--out", "o.zarr", "--source", "nih", "--root", "LONG"),
        ("build", "--out", "LONG.zarr", "--source", "."),
        ("sources", "check", "nih", "--root", "LONG"),
        ("sources", "check", "LONG.toml", "--root", "."),
        ("train", "LONG.toml", "--data", ".", "--out", "run"),
        ("info", "LONG.zarr"),
    ],
)
def test_a_name_that_no_file_system_takes_is_one_line(command) -> None:
    done = run(*(word.replace("LONG", "x" * 5000) for word in command))
    assert done.returncode in (1, 2)
    assert done.stderr.count(b"\n") == 1, done.stderr
    assert done.stderr.startswith(b"error: ")


def test_ascii_terminals_get_everything() -> None:
    plain = run("models", PYTHONIOENCODING="ascii")
    whole = run("models", PYTHONIOENCODING="utf-8")
    assert (plain.returncode, plain.stderr) == (0, b"")
    assert not whole.stdout.isascii(), "nothing is tried"
    assert plain.stdout == whole.stdout.decode().encode("ascii", "backslashreplace")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_stays_json_in_every_encoding(encoding: str) -> None:
    program = (
        "from pathlib import Path\n"
        "from dfsynth.cli.console import Console\n"
        "from dfsynth.source.corpus_starter import CorpusTemplate\n"
        "Console(json=True, quiet=False, verbose=False).result(CorpusTemplate(Path('größe')), '')"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONIOENCODING": encoding,
        },
        check=True,
    )
    assert json.loads(printed.stdout)["path"] == "größe"


@pytest.mark.parametrize("command", ["build", "simulate"])
def test_a_store_whose_name_is_no_text_is_refused_in_one_line(tmp_path: Path, command) -> None:
    needed = {"build": ["--source", str(tmp_path)], "simulate": ["--n", "1"]}
    done = run(command, *needed[command], "--out", os.fsencode(tmp_path) + b"/x\xff.zarr")
    assert done.returncode == 2, done.stderr
    assert done.stderr.count(b"\n") == 1
    assert b"is not UTF-8" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["build", "simulate", "train", "evaluate", "filter", "show"])
def test_an_empty_name_is_not_the_current_folder(
    tmp_path: Path, run_cli, monkeypatch, command
) -> None:
    monkeypatch.chdir(tmp_path)
    needed: dict[str, list[object]] = {
        "build": ["--source", "x"],
        "simulate": ["--n", 1],
        "train": ["tiny-cpu", "--data", "x"],
        "evaluate": ["default", "--data", "x"],
        "filter": ["x.zarr"],
        "show": ["x.zarr"],
    }
    status, _, err = run_cli(command, *needed[command], "--out", "")
    assert status == 2
    assert "empty path" in err or "expected a name that ends in" in err
    assert list(tmp_path.iterdir()) == []
