"""The page on exports runs, block after block, on a store."""

import gc
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

PAGE = Path(__file__).parents[1] / "docs" / "exports.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_block_runs(tmp_path, monkeypatch):
    radiographs = write_folder(tmp_path / "radiographs", 3)
    monkeypatch.chdir(tmp_path)
    options = BuildOptions(source=str(radiographs), out=Path("x.zarr"), shard_size=2)
    run_build(options, ToyMaker(), Silent())
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        # webdataset leaves closing its files to whoever collects garbage.
        warnings.simplefilter("ignore", ResourceWarning)
        for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            exec(compile(block, PAGE.name, "exec"), names)
        gc.collect()

    store = open_store(tmp_path / "x.zarr")
    expected = np.stack([store.read("dark_field", row) for row in range(3)])
    np.testing.assert_allclose(names["values"], expected[0], atol=names["said"]["scale"])
    np.testing.assert_array_equal(names["floats"], expected[0])
    assert names["unit"] == "1"
    np.testing.assert_array_equal(names["exact"], expected[0])
    np.testing.assert_allclose(names["near"], expected[0], atol=1e-4)
    np.testing.assert_array_equal(names["dark_field"], expected[2])
    assert names["facts"]["row"] == 2
    np.testing.assert_array_equal(names["stack"], expected)
    assert names["count"] == [(3,)]
