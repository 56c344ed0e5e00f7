"""What cannot be written to an object store is refused before anything is read or written."""

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
