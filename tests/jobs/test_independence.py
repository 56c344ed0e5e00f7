"""An image's result depends on itself, its id and the seed: not on batch, shard, order or share."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

import dfsynth
from dfsynth.jobs.build import run_build
from dfsynth.jobs.image_shards import windows
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store
from dfsynth.threads.prefetch import Prefetch


def maps_by_id(store: Path) -> dict[str, np.ndarray]:
    opened = open_store(store)
    return {
        line["image_id"]: np.stack([opened.read(name, line["row"]) for name in opened.maps])
        for line in opened.manifest.to_pylist()
    }


@pytest.fixture(scope="module")
def radiographs(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("radiographs"), 7)


@pytest.fixture(scope="module")
def reference(radiographs, tiny_checkpoint, tmp_path_factory) -> dict[str, np.ndarray]:
    out = tmp_path_factory.mktemp("reference") / "x.zarr"
    build_tiny(radiographs, out, tiny_checkpoint)
    return maps_by_id(out)


def build_tiny(radiographs: Path, out: Path, checkpoint: Path, **options: Any) -> None:
    settings = {"batch_size": 1, "shard_size": 4, "mc_samples": 3, "precision": "fp32", **options}
    dfsynth.build(radiographs, out, checkpoint=str(checkpoint), dtype="float32", **settings)


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 3}, {"batch_size": 7, "shard_size": 100}, {"shard_size": 1}, {"workers": 5}],
)
def test_values_agree_across_batches_and_shards(
    radiographs, reference, tiny_checkpoint, tmp_path, options
):
    build_tiny(radiographs, tmp_path / "x.zarr", tiny_checkpoint, **options)
    found = maps_by_id(tmp_path / "x.zarr")
    assert found.keys() == reference.keys()
    for name, maps in reference.items():
        np.testing.assert_allclose(found[name], maps, atol=1e-4, err_msg=name)


def test_the_seed_and_the_id_do_change_values(radiographs, reference, tiny_checkpoint, tmp_path):
    build_tiny(radiographs, tmp_path / "x.zarr", tiny_checkpoint, seed=1)
    found = maps_by_id(tmp_path / "x.zarr")
    assert all(np.abs(found[name] - maps).max() > 1e-4 for name, maps in reference.items())


def test_an_image_alone_is_the_same_image(radiographs, reference, tiny_checkpoint, tmp_path):
    build_tiny(radiographs, tmp_path / "x.zarr", tiny_checkpoint, limit=1)
    ((name, maps),) = maps_by_id(tmp_path / "x.zarr").items()
    np.testing.assert_allclose(maps, reference[name], atol=1e-4)


def test_manifests_agree_across_batches(radiographs, tmp_path):
    tables = []
    for batch in (1, 4):
        out = tmp_path / f"{batch}.zarr"
        options = BuildOptions(source=str(radiographs), out=out, shard_size=3)
        run_build(options, ToyMaker(batch_size=batch), Silent())
        tables.append(open_store(out).manifest.drop_columns(["seconds"]))
    assert tables[0].equals(tables[1])


def test_prefetch_keeps_order_and_takes_no_more_than_asked_for():
    from concurrent.futures import ThreadPoolExecutor

    taken = []

    def items():
        for number in range(50):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(4) as pool:
        pairs = iter(Prefetch(pool, lambda n: n * n, items(), ahead=5))
        assert next(pairs) == (0, 0)
        assert len(taken) <= 6
        assert list(pairs) == [(n, n * n) for n in range(1, 50)]


def test_windows_hold_at_most_a_batch_and_keep_every_row():
    from dfsynth.errors import ErrorCode
    from dfsynth.jobs.image_rows import Failed, Prepared
    from dfsynth.records import Geometry, ImageFacts, ModelInput, SourceItem

    def item(row: int) -> SourceItem:
        return SourceItem(row, 0, str(row), str(row))

    ready = ModelInput(np.zeros((1, 1), np.float32), Geometry(1, 1, 1, 1, 0, 0, 1, 1), None, ())
    facts = ImageFacts(1, 1, 8, "MONOCHROME2", None)
    outcomes = [
        Failed(item(row), ErrorCode.EMPTY, "empty")
        if row % 3 == 0
        else Prepared(item(row), "", facts, ready)
        for row in range(20)
    ]
    found = list(windows(outcomes, 4))
    assert [o for window in found for o in window] == outcomes
    assert max(sum(isinstance(o, Prepared) for o in window) for window in found) == 4
    assert all(sum(isinstance(o, Prepared) for o in window) == 4 for window in found[:-1])
