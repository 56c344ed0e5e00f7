"""The Python interface takes what Python users write, and gives what the README says."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from radiograph_files import write_folder
from store_content import plain_array

import dfsynth
from dfsynth.errors import UsageError


@pytest.fixture(params=["x.zarr", "x.h5"])
def store_path(request, tmp_path) -> Path:
    return tmp_path / request.param


@pytest.fixture
def built(tmp_path, store_path, tiny_checkpoint):
    radiographs = write_folder(tmp_path / "radiographs", 5)

    def run(**options: Any):
        settings = {"checkpoint": str(tiny_checkpoint), "mc_samples": 2, **options}
        return dfsynth.build(radiographs, store_path, **settings)

    return run


def test_lists_and_single_values_are_taken_and_resume(built):
    first = built(size=64, maps=["dark_field", "epistemic"])
    assert not first.resumed
    assert built(size=[64, 64], maps=("dark_field", "epistemic")).resumed


def test_the_store_gives_arrays_manifest_provenance_and_dataset(built, store_path):
    from torch.utils.data import DataLoader

    built()
    store = dfsynth.open_store(store_path)
    assert plain_array(store, "dark_field").shape == (5, 32, 32)
    np.testing.assert_array_equal(plain_array(store, "aleatoric")[3], store.read("aleatoric", 3))
    assert store.provenance["schema_version"] == 3
    data = store.dataset(maps=("dark_field", "epistemic"), include_no_lung=True)
    batches = list(DataLoader(data, batch_size=2))
    assert [tuple(b["maps"].shape) for b in batches] == [
        (2, 2, 32, 32),
        (2, 2, 32, 32),
        (1, 2, 32, 32),
    ]
    for sample in (data[index] for index in range(len(data))):
        np.testing.assert_array_equal(
            sample["maps"][0], store.read("dark_field", sample["row"]).astype(np.float32)
        )


def test_a_store_and_a_data_set_are_shown_in_a_few_words(built, store_path):
    built(maps="dark_field,epistemic")
    store = dfsynth.open_store(store_path)
    assert repr(store) == f"<Store {str(store_path)!r}: 5 rows of dark_field, epistemic>"
    data = store.dataset(include_no_lung=True)
    assert repr(data) == "<MapDataset: 5 images of dark_field>"


@pytest.mark.parametrize("method", ["fork", "spawn"])
# A process with threads is forked, as every DataLoader does by default; the workers are to be fine.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_workers_read_what_their_parent_reads(built, store_path, method):
    from torch.utils.data import DataLoader

    built()
    store = dfsynth.open_store(store_path)
    maps = ("epistemic", "dark_field")
    data = store.dataset(maps=maps, include_no_lung=True)
    # At work here before workers start: our reader, and the library of the format with its threads.
    expected = [np.stack([store.read(name, row) for name in maps]) for row in range(5)]
    plain = store.arrays
    np.testing.assert_array_equal(plain_array(store, "dark_field")[2], data[2]["maps"][1])
    loader = DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context=method)
    batches = list(loader)
    np.testing.assert_array_equal(np.concatenate([b["maps"] for b in batches]), expected)
    assert [int(row) for b in batches for row in b["row"]] == [0, 1, 2, 3, 4]
    if isinstance(plain, h5py.File):
        plain.close()


def test_a_sample_is_nobody_elses(built, store_path):
    import torch

    built()
    store = dfsynth.open_store(store_path)
    data = store.dataset(include_no_lung=True)
    sample = data[0]["maps"]
    assert (sample.dtype, sample.is_contiguous()) == (torch.float32, True)
    sample += 1
    np.testing.assert_array_equal(data[0]["maps"][0], store.read("dark_field", 0))


def test_a_map_that_is_not_stored_is_named(built, store_path):
    built()
    with pytest.raises(UsageError, match="lung"):
        dfsynth.open_store(store_path).dataset(maps=("lung",))


def test_load_generator_gives_mean_and_uncertainties(tiny_checkpoint):
    generator = dfsynth.load_generator(str(tiny_checkpoint), mc_samples=3)
    out = generator(np.random.default_rng(0).random((2, 32, 32)))
    assert out.mean.shape == out.aleatoric.shape == out.epistemic.shape == (2, 32, 32)
    assert np.all(out.aleatoric > 0)
    assert np.any(out.epistemic > 0)


def test_keep_alone_keeps_the_least_uncertain(built, store_path):
    built()
    store = dfsynth.open_store(store_path)
    data = store.dataset(keep=0.4, by="aleatoric_mean", include_no_lung=True)
    assert len(data) == 2
    assert len(store.dataset(keep=0.4)) == len(store.dataset(keep=0.4, by="uncertainty"))
