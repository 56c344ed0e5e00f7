"""The Python interface takes what Python users write, and gives what the README says."""

from typing import Any

import numpy as np
import pytest
from radiograph_files import write_folder
from store_content import plain_array

import dfsynth
from dfsynth.errors import UsageError


@pytest.fixture
def built(tmp_path, tiny_checkpoint):
    radiographs = write_folder(tmp_path / "radiographs", 5)

    def run(**options: Any):
        settings = {"checkpoint": str(tiny_checkpoint), "mc_samples": 2, **options}
        return dfsynth.build(radiographs, tmp_path / "x.zarr", **settings)

    return run


def test_lists_and_single_values_are_taken_and_resume(built):
    first = built(size=64, maps=["dark_field", "epistemic"])
    assert not first.resumed
    assert built(size=[64, 64], maps=("dark_field", "epistemic")).resumed


def test_the_store_gives_arrays_manifest_provenance_and_dataset(built, tmp_path):
    from torch.utils.data import DataLoader

    built()
    store = dfsynth.open_store(tmp_path / "x.zarr")
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


def test_dataset_works_in_worker_processes(built, tmp_path):
    from torch.utils.data import DataLoader

    built()
    data = dfsynth.open_store(tmp_path / "x.zarr").dataset(include_no_lung=True)
    loader = DataLoader(data, batch_size=5, num_workers=2, multiprocessing_context="spawn")
    (batch,) = loader
    assert batch["maps"].shape == (5, 1, 32, 32)


def test_a_map_that_is_not_stored_is_named(built, tmp_path):
    built()
    with pytest.raises(UsageError, match="lung"):
        dfsynth.open_store(tmp_path / "x.zarr").dataset(maps=("lung",))


def test_load_generator_gives_mean_and_uncertainties(tiny_checkpoint):
    generator = dfsynth.load_generator(str(tiny_checkpoint), mc_samples=3)
    out = generator(np.random.default_rng(0).random((2, 32, 32)))
    assert out.mean.shape == out.aleatoric.shape == out.epistemic.shape == (2, 32, 32)
    assert np.all(out.aleatoric > 0)
    assert np.any(out.epistemic > 0)


def test_keep_alone_keeps_the_least_uncertain(built, tmp_path):
    built()
    store = dfsynth.open_store(tmp_path / "x.zarr")
    data = store.dataset(keep=0.4, by="aleatoric_mean", include_no_lung=True)
    assert len(data) == 2
    assert len(store.dataset(keep=0.4)) == len(store.dataset(keep=0.4, by="uncertainty"))
