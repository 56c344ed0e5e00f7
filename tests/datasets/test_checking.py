"""What is wrong with pairs is said before training."""

import numpy as np
import pytest
from noise_pairs import NoisePairs
from pair_files import write_floats, write_pair_folders
from toy_simulator import ToyPairMaker

from dfsynth.datasets import check_pairs, checking, open_pairs
from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout
from dfsynth.store.zarr.paths import shard_path


def test_sound_pairs_are_each_read_once():
    source = NoisePairs(9)
    check_pairs(source)
    assert sorted(source.reads) == list(range(9))


def test_all_faults_are_counted_and_the_first_named():
    with pytest.raises(UsageError) as caught:
        check_pairs(NoisePairs(9, bad=(1, 3, 4, 8)))
    assert str(caught.value) == (
        "4 of 9 pairs cannot be used: pair 'n1': bad; pair 'n3': bad; pair 'n4': bad; and 1 more"
    )


def test_one_radiograph_in_two_splits_is_refused():
    with pytest.raises(UsageError, match=r"'n0' \(train\) and 'n1' \(val\) have the same input"):
        check_pairs(NoisePairs(twins=True))


def test_progress_is_reported_now_and_then(monkeypatch):
    monkeypatch.setattr(checking, "_LINE_EVERY_S", -1.0)
    lines: list[str] = []
    check_pairs(NoisePairs(3), lines.append)
    assert lines == [f"{n} of 3 pairs checked" for n in (1, 2, 3)]


def test_files_of_different_sizes_are_found(tmp_path):
    folders = write_pair_folders(tmp_path, 4)
    write_floats(folders[1] / "case001.tif", np.eye(9, dtype=np.float32))
    with pytest.raises(UsageError, match=r"1 of 4 .* case001\.tif have 20×16 and 9×9 pixels"):
        check_pairs(open_pairs(*folders, 16, (0.0, 1.0)))


def test_of_a_store_a_sample_is_read(tmp_path):
    options = SimulateOptions(out=tmp_path / "x.zarr", n=40, size=64, shard_size=40)
    run_simulation(options, ToyPairMaker(options, fail_every=None), Silent())
    source = open_pairs(options.out, None, 64, (0.0, 1.0))
    check_pairs(source)
    shard_path(StoreLayout(options.out), "attenuation", 0).unlink()
    with pytest.raises(StoreError):
        check_pairs(source)
