"""The page on other tools runs, block after block, on a store; what it gives Ray fits Ray."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

PAGE = Path(__file__).parents[1] / "docs" / "reading.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

TABLE = """path,patient_id,age,split,findings
radiographs/part0/image0000.png,a,61,train,Effusion
radiographs/part1/image0001.png,a,62,train,Mass
radiographs/part0/image0002.png,b,47,train,Effusion|Mass
radiographs/part1/image0003.png,c,33,val,Mass
radiographs/part0/image0004.png,d,70,test,Effusion
"""


# What mlcroissant uses of rdflib and pandas is to change there.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph", "ignore:The inplace keyword")
def test_every_block_runs(tmp_path, monkeypatch):
    write_folder(tmp_path / "radiographs", 5)
    (tmp_path / "images.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    options = BuildOptions(source="images.csv", out=Path("x.zarr"), shard_size=2)
    run_build(options, ToyMaker(), Silent())
    names: dict[str, Any] = {}
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(block, PAGE.name, "exec"), names)

    store = open_store(tmp_path / "x.zarr")
    expected = np.stack([store.read("dark_field", row) for row in range(5)])
    np.testing.assert_allclose(names["means"], expected.mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(names["mean"], expected.mean(), rtol=1e-6)
    np.testing.assert_array_equal(names["one"], expected[0])
    assert names["count"] == [(5,)]
    assert len(names["records"]) == 5
    assert (tmp_path / "x.nc").stat().st_size > expected.nbytes / 2

    np.testing.assert_array_equal(names["dark_field"], expected[0])
    assert names["same"].facts == names["row"].facts
    assert len(names["frame"]) == 5
    assert 0 <= len(names["certain"]) <= 5
    assert names["maps"].shape == (4, 2, 16, 16)
    assert names["labels"].values.tolist() == [[1, 0], [0, 1], [1, 1]]
    assert names["labels"].pos_weight.tolist() == [0.5, 0.5]
    assert names["loss"].isfinite()
    assert names["flipped"]["target"].tolist() == [61, 62, 47]
    assert names["as_large"].shape == (24, 20)

    # What Ray does: batches of columns as arrays, functions and what they hold in other processes.
    names["store"] = pickle.loads(pickle.dumps(names["store"]))  # noqa: S301
    batch = {name: names["rows"][name].to_numpy()[1:3] for name in names["rows"].column_names}
    np.testing.assert_array_equal(names["add_images"](batch)["dark_field"], expected[1:3])
