"""What cannot be written to or read from an object store is refused before anything is done."""

from collections.abc import Callable
from pathlib import Path

import pytest

RunCli = Callable[..., tuple[int, str, str]]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("filter", "STORE", "--keep", 0.5), "kept.parquet"),
        (("show", "STORE"), "drawn.png"),
        (("report", "STORE"), "report"),
        (("evaluate", "default", "--data", "STORE"), "figures"),
        (("train", "tiny-cpu", "--data", "STORE"), "run"),
        (("export", "STORE", "--to", "png"), "images"),
    ],
)
def test_what_writes_to_a_disk_alone_makes_no_folder_called_s3(
    run_cli: RunCli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str | float, ...],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [tmp_path / "x.zarr" if word == "STORE" else word for word in command]
    status, _, err = run_cli(*given, "--out", f"s3://bucket/{name}")
    assert (status, err.count("\n")) == (2, 1)
    assert f"--out s3://bucket/{name}: this command writes to a disk alone" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.torch
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("train", "tiny-cpu", "--targets", "b", "--out", "run"), "--data"),
        (("train", "tiny-cpu", "--data", "a", "--out", "run"), "--targets"),
        (("evaluate", "default"), "--data"),
        (("evaluate", "default", "--data", "a"), "--targets"),
        (("evaluate", "default", "--data", "a"), "--ood"),
        (("simulate", "--out", "x.zarr", "--n", 2), "--ct"),
        (("simulate", "--out", "x.zarr", "--n", 2), "--cxr"),
        (("simulate", "--task", "pet-ct", "--out", "x.zarr"), "--volumes"),
        (("filter", "x.zarr", "--max-error", 0.5), "--calibrate"),
    ],
)
def test_what_reads_from_a_disk_alone_says_so(
    run_cli: RunCli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str | float, ...],
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = run_cli(*command, option, "s3://bucket/pairs.zarr")
    assert (status, err.count("\n")) == (2, 1)
    words = "this option reads from a disk alone; copy it to one, then name the copy"
    assert f"{option} s3://bucket/pairs.zarr: {words}" in err
    assert not list(tmp_path.iterdir())
