"""Generators that are trained on restored pairs and tested on radiographs with drawn masks."""

import csv
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import restoration_generators
import torch
from drawn_networks import draw_weights
from listed_radiographs import list_radiographs
from restoration_generators import RestoredPairs, hidden_lungs
from small_cards import small_card

import dfsynth
from dfsynth.checkpoint import FLOW_NETWORK, FlowConfig
from dfsynth.datasets import open_pairs
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.errors import UsageError
from dfsynth.inference import load_restorer, save_checkpoint
from dfsynth.models import FlowNetwork
from dfsynth.resources import data_folder
from dfsynth.statistics import dice

pytestmark = pytest.mark.slow

SIZE = 64


@pytest.fixture(scope="module")
def restorer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = FlowConfig(widths=(8, 16), steps=2)
    changed = {"network": FLOW_NETWORK, "grid": (SIZE, SIZE), "task": "restoration"}
    folder = tmp_path_factory.mktemp("restorer") / "flow"
    save_checkpoint(folder, draw_weights(FlowNetwork(config)), small_card(config, **changed))
    return folder


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("bodies") / "bodies.zarr"
    dfsynth.simulate_pairs(store, 3, size=SIZE, seed=4)
    return store


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Radiographs of the package with an ellipse for a mask, of patients of both shares."""
    folder = tmp_path_factory.mktemp("data")
    mask = np.zeros((64, 64), np.uint8)
    for x in (20, 44):
        cv2.ellipse(mask, (x, 30), (9, 18), 0, 0, 360, 255, -1)
    for part, column in (("cxr", "lung_mask"), ("cxr-masks", "mask")):
        (folder / part).mkdir()
        with (folder / part / "labels.csv").open("w", newline="") as stream:
            lines = csv.writer(stream)
            lines.writerow(["file", "patient_id", "source", "license", column])
            if part == "cxr":
                continue
            for n, path in enumerate(sorted(data_folder("samples").glob("*.png"))[:8]):
                name = f"montgomery_{n}"
                picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
                assert picture is not None
                cv2.imwrite(str(folder / part / f"{name}.png"), picture)
                height, width = picture.shape
                drawn = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
                cv2.imwrite(str(folder / part / f"{name}-mask.png"), drawn)
                licence = "NLM (cite and acknowledge)"
                lines.writerow([f"{name}.png", name, "any", licence, f"{name}-mask.png"])
    return folder


def opened(path: Path) -> StorePairs:
    source = open_pairs(path, None, SIZE, (0.0, 0.6))
    assert isinstance(source, StorePairs)
    return source


def test_pairs_are_restored_as_the_simulator_restores_them(
    bodies: Path, restorer: Path, tmp_path: Path
) -> None:
    store = tmp_path / "restored.zarr"
    dfsynth.simulate_pairs(store, 3, size=SIZE, seed=4, display="restored", restorer=str(restorer))
    network = load_restorer(str(restorer), torch.device("cpu"))
    pairs, expected = RestoredPairs.make(opened(bodies), network, tmp_path), opened(store)
    kept = RestoredPairs.make(opened(bodies), network, tmp_path)
    assert [row.key for row in pairs.rows] == [row.key for row in expected.rows]
    assert pairs.fingerprint() != pairs.store.fingerprint()
    for index in range(len(pairs.rows)):
        ours, theirs, before = (s.read(index) for s in (pairs, expected, pairs.store))
        np.testing.assert_allclose(ours.image, theirs.image, atol=0.01)
        assert np.abs(ours.image - before.image).mean() > 0.02
        np.testing.assert_array_equal(ours.target, theirs.target)
        np.testing.assert_array_equal(kept.read(index).image, ours.image)


def command(bodies: Path, restorer: Path, data: Path, out: Path) -> list[str]:
    given = ["--pairs", str(bodies), "--checkpoint", str(restorer), "--data", str(data)]
    return [
        "generators",
        *given,
        "--steps",
        "2",
        "--seeds",
        "1",
        "--workers",
        "1",
        "--out",
        str(out),
    ]


def test_each_kind_is_trained_once_and_tested_on_drawn_masks(
    bodies: Path, restorer: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", command(bodies, restorer, data, tmp_path))
    restoration_generators.main()
    text = (tmp_path / "report.md").read_text()
    for kind in restoration_generators.KINDS:
        assert text.count(f"| {kind} |") == 3
        picture = cv2.imread(str(tmp_path / "pairs" / f"pairs-{kind}.png"))
        assert picture is not None
        assert picture.std() > 20
        assert (tmp_path / "worst" / f"worst-{kind}.png").exists()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    restoration_generators.main()
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "results").iterdir()} == before
    tables = tmp_path / "pairs" / "real" / "labels.csv", data / "cxr-masks" / "labels.csv"
    trained, listed = (
        {row["patient_id"] for row in csv.DictReader(table.read_text().splitlines())}
        for table in tables
    )
    assert trained < listed


def test_lung_hides_where_pairs_of_real_radiographs_say_so(data: Path, tmp_path: Path) -> None:
    listed = list_radiographs(data)
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(("file", "patient_id"))
        lines.writerows((entry.path.name, entry.patient_id) for entry in listed)
    for entry in listed:
        shutil.copyfile(entry.path, tmp_path / entry.path.name)
    store = tmp_path / "real.zarr"
    dfsynth.simulate_pairs(store, len(listed), origin="cxr", cxr=table, size=SIZE)
    pairs = opened(store)
    weights = {
        name: pairs.read(index).lung_weight
        for index, name in enumerate(pairs.manifest["source"].to_pylist())
    }
    assert len(weights) > 4
    for entry, hidden in zip(listed, hidden_lungs(listed, SIZE), strict=True):
        if (weight := weights.get(entry.path.name)) is not None:
            assert hidden.mean() > 0.05
            assert dice(hidden, weight == 0) > 0.98


def test_pairs_of_another_size_are_refused_before_anything_is_made(
    restorer: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    larger = tmp_path / "larger.zarr"
    dfsynth.simulate_pairs(larger, 1, size=96)
    monkeypatch.setattr(sys, "argv", command(larger, restorer, data, tmp_path / "out"))
    with pytest.raises(UsageError, match="expected 64"):
        restoration_generators.main()
    assert not (tmp_path / "out").exists()
