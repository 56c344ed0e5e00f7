"""Colours where a terminal shows them, bars where one can draw them, plain lines elsewhere."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

import dfsynth
from dfsynth.cli.meters import job_progress

RED = b"\x1b[31m"
WRONG = [sys.executable, "-m", "dfsynth", "info", "no-such.zarr"]
BAR = (
    "from dfsynth.cli.meters import job_progress\n"
    "with job_progress(quiet=False) as progress:\n"
    "    progress.start(2); progress.advance(1, 0); progress.advance(1, 0)"
)


def environment(**more: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR", "TERM"}}
    path = os.pathsep.join(filter(None, sys.path))
    return {**plain, "PYTHONPATH": path, "TERM": "xterm", "COLUMNS": "80", **more}


def on_a_terminal(command: list[str], **more: str) -> bytes:
    """All that `command` writes to a terminal, through stdout and stderr."""
    ours, its = pty.openpty()
    with subprocess.Popen(command, stdout=its, stderr=its, env=environment(**more)):
        os.close(its)
        found = b""
        # Linux ends the last read of a terminal that nobody writes to with an error.
        with suppress(OSError):
            while read := os.read(ours, 65536):
                found += read
    os.close(ours)
    return found


@pytest.mark.parametrize(
    ("variables", "is_red"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_errors_are_red_on_terminals_that_want_it(variables: dict[str, str], is_red: bool) -> None:
    found = on_a_terminal(WRONG, **variables)
    assert b"no-such.zarr" in found
    assert (RED in found) == is_red
    assert (b"\x1b" in found) == is_red


@pytest.mark.parametrize(("variables", "is_red"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_a_pipe_gets_colours_only_by_force(variables: dict[str, str], is_red: bool) -> None:
    done = subprocess.run(WRONG, capture_output=True, env=environment(**variables), check=False)
    assert done.stdout == b""
    assert (b"\x1b" in done.stderr) == is_red
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_help_has_no_colours_that_are_not_wanted(variables: dict[str, str]) -> None:
    help_of = [sys.executable, "-m", "dfsynth", "--help"]
    assert b"\x1b[1;36m" in on_a_terminal(help_of)
    assert b"\x1b[1;36m" not in on_a_terminal(help_of, **variables)


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "dumb", "FORCE_COLOR": "1"}])
def test_bars_are_drawn_only_where_lines_can_be_drawn_anew(variables: dict[str, str]) -> None:
    drawing = [sys.executable, "-c", BAR]
    assert b"\x1b[2K" in on_a_terminal(drawing)
    plain = on_a_terminal(drawing, **variables)
    assert plain.startswith(b"2 images to do\r\n")
    assert b"2/2 images" in plain
    assert b"\x1b" not in plain


def test_one_image_is_no_plural(capfd: pytest.CaptureFixture[str]) -> None:
    with job_progress(quiet=False) as progress:
        progress.start(1)
    assert capfd.readouterr().err == "1 image to do\n"


def test_lines_of_a_long_run_become_rare(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(100_000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    hours = 10
    with job_progress(quiet=False) as progress:
        progress.start(hours * 3600)
        # Two meters read the clock; the log's one reads it too.
        for _ in range(hours * 1800):
            progress.advance(2, 0)
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "36000 images to do"
    assert lines[-1].startswith("36000/36000 images, ")
    assert 150 < len(lines) < 400


def test_the_version_is_one_line(run_cli: Callable[..., tuple[int, str, str]]) -> None:
    assert run_cli("--version") == (0, f"dfsynth {dfsynth.__version__}\n", "")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(("biuld",), "build"), (("sources", "shw"), "show"), (("build", "--sorce", "x"), "--source")],
)
def test_what_is_misspelt_gets_the_nearest_name(
    run_cli: Callable[..., tuple[int, str, str]], typed: tuple[str, ...], meant: str
) -> None:
    status, out, err = run_cli(*typed)
    assert (status, out) == (2, "")
    assert meant in err.replace("│", "")
