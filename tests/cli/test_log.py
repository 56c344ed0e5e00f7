"""`--log FILE`: what a command says, line by line, for whoever looks later."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import typer
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.cli import app
from dfsynth.cli.console import console_of
from dfsynth.cli.log_file import without_home
from dfsynth.cli.meters import job_progress
from dfsynth.errors import ExitStatus, StoreError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

RunCli = Callable[..., tuple[int, str, str]]
# What looks things up, at once.
ANSWERS = {"doctor", "info", "models", "sources"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    source = str(write_folder(tmp_path / "images", 3))
    run_build(BuildOptions(source=source, out=tmp_path / "x.zarr"), ToyMaker(), Silent())
    return tmp_path / "x.zarr"


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_job_has_one() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {
        name: {each for parameter in command.params for each in parameter.opts}
        for name, command in commands.items()
    }
    assert {name for name, has in options.items() if "--log" not in has} == ANSWERS


def test_a_command_is_told_from_its_start_to_its_end(
    run_cli: RunCli, store: Path, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    status, out, err = run_cli("verify", store, "--log", log, "--json")
    assert status == 0
    found = lines_of(log)
    first, *told, result, end = found
    assert [first["message"], result["message"], end["message"]] == [
        *("started", "result", "ended: done")
    ]
    # The rate is of the moment.
    assert [str(line["message"])[:11] for line in told] == [line[:11] for line in err.splitlines()]
    assert {line["level"] for line in found} == {"info"}
    assert result["result"] == json.loads(out)
    assert end["status"] == 0
    times = [datetime.fromisoformat(str(line["time"])) for line in found]
    assert times == sorted(times)
    assert times[0].utcoffset() == timedelta(0)


def test_a_quiet_command_tells_it_all_the_same(
    run_cli: RunCli, store: Path, tmp_path: Path
) -> None:
    assert run_cli("verify", store, "--log", tmp_path / "a.log", "-q") == (0, "", "")
    run_cli("verify", store, "--log", tmp_path / "b.log")
    messages = [[x["message"] for x in lines_of(tmp_path / f"{name}.log")] for name in "ab"]
    assert len(messages[0]) == len(messages[1])
    assert "3 images to do" in messages[0]


def test_errors_come_last_and_the_next_run_is_appended(run_cli: RunCli, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for run in (1, 2):
        status, _, err = run_cli("verify", tmp_path / "none.zarr", "--log", log)
        assert status == 2
        assert len(lines_of(log)) == 3 * run
    _, error, end = lines_of(log)[-3:]
    assert (error["level"], f"error: {error['message']}\n") == ("error", err)
    assert (end["status"], end["message"]) == (2, f"ended: {ExitStatus.USAGE.meaning}")


def test_lines_are_there_at_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with console_of(False, True, False, log=log), job_progress(quiet=True) as progress:
        progress.start(2)
        progress.message("warning: a caution")
        found = lines_of(log)
        assert (found[-2]["message"], found[-1]["level"]) == ("2 images to do", "warning")


def test_an_end_by_a_defect_is_told(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with pytest.raises(ZeroDivisionError), console_of(False, True, False, log=log):
        raise ZeroDivisionError("Doe^Jane")
    end = lines_of(log)[-1]
    assert (end["level"], end["message"]) == ("critical", "ended by a defect of dfsynth")
    assert "Doe" not in log.read_text()


def test_nothing_is_logged_after_the_command(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with console_of(False, True, False, log=log):
        pass
    before = log.read_bytes()
    with job_progress(quiet=True) as progress:
        progress.message("of another command")
    assert log.read_bytes() == before


def test_a_home_folder_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/jane")
    assert without_home("cannot read /home/jane/x.zarr") == "cannot read ~/x.zarr"
    assert without_home('"/home/jane" /home/janet/x') == '"~" /home/janet/x'
    with pytest.raises(typer.Exit), console_of(False, True, False, log=tmp_path / "a.log"):
        raise StoreError("cannot read /home/jane/x.zarr")
    assert "jane" not in (tmp_path / "a.log").read_text()
    monkeypatch.setenv("HOME", "/")
    assert without_home("/data/x") == "/data/x"


@pytest.mark.parametrize("name", ["no/folder/a.log", "."])
def test_a_log_that_cannot_be_written_is_wrong_usage(
    run_cli: RunCli, store: Path, tmp_path: Path, name: str
) -> None:
    status, out, err = run_cli("verify", store, "--log", tmp_path / name)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: --log {tmp_path / name}: cannot be written: ")
    assert err.count("\n") == 1


def test_a_full_disk_under_the_log_does_not_end_the_job(run_cli: RunCli, store: Path) -> None:
    status, out, err = run_cli("verify", store, "--log", "/dev/full")
    assert status == 0
    assert "3 images of 1 committed shard read, 0 damaged" in out
    assert err.count("warning: the log cannot be written: No space left on device\n") == 1
