"""`dfsynth models`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from dfsynth.checkpoint import CARD, WEIGHTS, files
from dfsynth.checkpoint.packaged import PackagedNetwork, packaged_networks
from dfsynth.errors import CheckpointError
from dfsynth.resources import data_folder

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packaged checkpoints that a test may damage."""
    folder = tmp_path / "checkpoints"
    shutil.copytree(data_folder("checkpoints"), folder)
    monkeypatch.setattr(files, "data_folder", lambda _name: folder)
    return folder


def test_all_packaged_networks_are_listed_with_their_facts(run_cli: RunCli) -> None:
    status, out, _ = run_cli("models", "--json")
    assert status == 0
    found = {entry["name"]: entry for entry in json.loads(out)["networks"]}
    folders = {path.name: path for path in data_folder("checkpoints").iterdir() if path.is_dir()}
    assert found.keys() == folders.keys()
    for name, entry in found.items():
        card = json.loads((folders[name] / CARD).read_bytes())
        assert entry["trained_as"] == card["name"]
        assert entry["size_bytes"] == sum(path.stat().st_size for path in folders[name].iterdir())
        for key in ("network", "licence", "intended_use", "limits", "training_data", "metrics"):
            assert entry[key] == card[key], (name, key)
        assert all(part["licence"] for part in entry["training_data"])
        names = {field.name for field in fields(PackagedNetwork)}
        assert set(entry) == names - {"license"} | {"licence"}


def test_the_lung_network_is_said_to_generate_no_images(run_cli: RunCli) -> None:
    found = {
        entry["name"]: entry for entry in json.loads(run_cli("models", "--json")[1])["networks"]
    }
    assert found["default"]["generates_images"] is True
    assert found["lung-reader"]["generates_images"] is False
    assert "images      none: it serves" in run_cli("models", "lung-reader")[1]
    assert "--checkpoint default" in run_cli("models", "default")[1]


def test_the_table_has_one_line_a_network(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    head, *rows, _, advice = run_cli("models")[1].splitlines()
    networks = packaged_networks()
    assert head.split() == ["name", "images", "network", "grid", "size", "licence", "recipe"]
    assert len(rows) == len(networks)
    for row, network in zip(rows, networks, strict=True):
        assert row.startswith(network.name)
        assert network.license in row
        assert network.recipe in row
        assert len(row) <= 80
    assert advice == "more of one: dfsynth models NAME"


@pytest.mark.parametrize("columns", [40, 72, 100])
def test_one_network_is_read_by_people(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run_cli("models", "default")[1]
    text = " ".join(out.split())
    network = next(n for n in packaged_networks() if n.name == "default")
    for expected in (network.intended_use, network.limits, network.license, network.trained_as):
        assert " ".join(expected.split()) in text
    for part in network.training_data:
        assert f"- {part['name']}; licence: {part['licence']}" in text
    mae = network.metrics["test_patients"]["clean_mae"]
    assert f"clean mae {mae['value']:.3g} ({mae['low']:.3g} to {mae['high']:.3g})" in text
    for machine_facing in ("_", "{", "None", "True"):
        assert machine_facing not in text
    assert all(len(line) <= columns or " " not in line.strip() for line in out.splitlines())


def test_one_network_as_json_is_its_entry_of_the_list(run_cli: RunCli) -> None:
    entries = json.loads(run_cli("models", "--json")[1])["networks"]
    for entry in entries:
        found = json.loads(run_cli("models", entry["name"], "--json")[1])
        assert found.pop("schema") == {"name": "dfsynth.network", "version": 1}
        assert found == entry


@pytest.mark.parametrize("wanted", ["nobody", "", "../default", "runs/first/best"])
def test_an_unknown_name_is_wrong_usage(run_cli: RunCli, wanted: str) -> None:
    status, out, err = run_cli("models", wanted)
    assert (status, out) == (2, "")
    known = "default, lung-reader, mixture-256, restoration, streaks-ct"
    assert err == f"error: no packaged network {wanted!r}: expected one of {known}\n"


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        (CARD, None, "cannot read"),
        (WEIGHTS, None, "cannot read"),
        (CARD, b"", "is no JSON"),
        (CARD, b"[]", "no object"),
        (CARD, b'{"network": "upgan-compact"}', "'name' is missing"),
    ],
)
@pytest.mark.parametrize("arguments", [("models",), ("models", "default")])
def test_a_damaged_installation_is_one_clear_line(
    run_cli: RunCli,
    packaged: Path,
    arguments: tuple[str, ...],
    file: str,
    content: bytes | None,
    expected: str,
) -> None:
    path = packaged / "default" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    status, out, err = run_cli(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert str(path) in err
    assert expected in err
    assert err.count("\n") == 1


def test_a_grid_of_three_numbers_is_refused(packaged: Path) -> None:
    path = packaged / "default" / CARD
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"grid": [256, 256, 3]}))
    with pytest.raises(CheckpointError, match="'grid' has 3 numbers, not height and width"):
        packaged_networks()


def test_it_answers_without_the_heavy_libraries() -> None:
    heavy = {"torch", "pyarrow", "cv2", "duckdb", "zarr"}
    program = (
        "import sys; from dfsynth.cli import app\n"
        "app(['models', 'default'], standalone_mode=False)\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}), sep='\\n')"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert not heavy & set(done.stdout.split("\n"))
