"""A store as torch reads it: splits by patient, targets, weights, labels, transforms, workers."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from radiograph_files import write_image
from torch.utils.data import DataLoader, WeightedRandomSampler
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import Store, open_store

IMAGES = 24
FINDINGS = ("Effusion", "Mass", "")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """24 images of 12 patients: 8 the corpus trains on, 4 it tests on; ages; findings in turn."""
    folder = tmp_path_factory.mktemp("dataset")
    with (folder / "images.csv").open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["path", "patient_id", "split", "age", "findings"])
        for number in range(IMAGES):
            write_image(folder / f"{number}.png", number)
            patient = number % 12
            split = "train" if patient < 8 else "test"
            age = "" if number == 3 else 20 + number
            lines.writerow([f"{number}.png", f"p{patient}", split, age, FINDINGS[number % 3]])
    options = BuildOptions(source=str(folder / "images.csv"), out=folder / "x.zarr", shard_size=16)
    run_build(options, ToyMaker(), Silent())
    return open_store(folder / "x.zarr")


def twice(sample, key):
    """A transform that another process can be sent."""
    return {**sample, key: 2 * sample[key]}


def test_splits_are_those_of_the_corpus_and_share_no_patient(store):
    train = store.dataset(split="train", include_no_lung=True)
    test = store.dataset(split="test", include_no_lung=True)
    assert (len(train), len(test)) == (16, 8)
    patients = [set(data.table["patient_id"].to_pylist()) for data in (train, test)]
    assert not patients[0] & patients[1]
    again = store.dataset(split="train", include_no_lung=True, where="age > 30")
    assert set(again.table["row"].to_pylist()) < set(train.table["row"].to_pylist())


def test_a_hash_deals_out_everybody_whatever_the_corpus_says(store):
    found = [
        row
        for split in ("train", "val", "calibration", "test")
        for row in _rows_or_none(store, split)
    ]
    assert sorted(found) == list(range(IMAGES))


def _rows_or_none(store, split):
    try:
        data = store.dataset(split=split, split_from="hash", include_no_lung=True)
    except UsageError as error:
        assert "holds no image" in str(error)  # noqa: PT017 - twelve patients may leave one empty
        return []
    return data.table["row"].to_pylist()


def test_a_column_is_a_target(store):
    data = store.dataset(target="age", include_no_lung=True)
    assert data[2]["target"] == torch.tensor(22.0)
    assert data[3]["target"].isnan()
    batch = next(iter(DataLoader(data, batch_size=4)))
    assert batch["target"].shape == (4,)
    assert batch["target"].dtype == torch.float32


def test_findings_are_a_target(store):
    every = store.dataset(target="findings", include_no_lung=True)
    assert every.findings == ("Effusion", "Mass")
    assert every[0]["target"].tolist() == [1, 0]
    # A cell that is empty says nothing, of which nothing is known.
    assert every[2]["target"].isnan().all()
    one = store.dataset(target=("Mass",), include_no_lung=True)
    assert one[1]["target"].tolist() == [1]


def test_a_function_of_the_manifest_is_a_target(store):
    data = store.dataset(target=lambda line: f"{line['patient_id']}-{line['row']}", split="test")
    sample = data[-1]
    assert sample["target"] == f"p11-{sample['row']}"


def test_a_transform_changes_the_sample_and_nothing_else(store):
    data = store.dataset(target="age", transform=partial(twice, key="target"), include_no_lung=True)
    assert [data[1]["target"].item(), data[1]["target"].item()] == [42, 42]

    def spoil(sample):
        sample["target"].zero_()
        return sample

    data = store.dataset(target="age", transform=spoil, include_no_lung=True)
    data[1]
    assert data.table["age"][1].as_py() == 21
    assert store.dataset(target="age", include_no_lung=True)[1]["target"] == 21


def test_weights_go_with_the_samples_and_draw_them(store):
    data = store.dataset(weight_by="uncertainty", include_no_lung=True)
    weights = data.weights("uncertainty")
    assert data[5]["weight"] == weights[5].float()
    scores = np.array(data.table["uncertainty"].to_pylist(), float)
    known = ~np.isnan(scores)
    assert known.any()
    assert (weights.numpy()[known] > 0).all()
    drawn = [*WeightedRandomSampler(weights.tolist(), 10, generator=torch.Generator())]
    assert len(drawn) == 10


def test_labels_have_the_same_columns_in_every_split_and_their_weights(store):
    where = "list_contains(findings, 'Mass')"
    labels = store.dataset(where=where, include_no_lung=True).labels()
    assert labels.names == ("Effusion", "Mass")
    assert labels.values.tolist() == [[0, 1]] * 8
    train = store.dataset(split="train", include_no_lung=True).labels()
    positive = (train.values == 1).sum(0)
    expected = (train.values == 0).sum(0) / positive
    torch.testing.assert_close(train.pos_weight, expected)
    assert repr(train) == "<FindingLabels: 16 images, Effusion, Mass>"
    loss = torch.nn.BCEWithLogitsLoss(pos_weight=train.pos_weight)
    known = train.values[~train.values.isnan().any(1)]
    assert loss(torch.zeros_like(known), known).isfinite()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "Mass"}, r"'Mass' is a finding: expected target=\('Mass',\)"),
        ({"target": "ages"}, "did you mean age"),
        ({"target": "view"}, "expected a column of numbers"),
        ({"target": ("Oedema",)}, "no finding 'Oedema'"),
        ({"weight_by": "predicted_error"}, "null throughout"),
        ({"split": "val"}, "found train 16, test 8"),
        ({"split": "all"}, "expected one of train"),
    ],
)
def test_what_cannot_be_is_refused_before_an_image_is_read(store, options, message):
    with pytest.raises(UsageError, match=message):
        store.dataset(include_no_lung=True, **options)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_targets_weights_and_transforms_go_to_worker_processes(store, method):
    data = store.dataset(
        split="train",
        target="findings",
        weight_by="uncertainty",
        transform=partial(twice, key="maps"),
        include_no_lung=True,
    )
    loader = DataLoader(data, batch_size=16, num_workers=2, multiprocessing_context=method)
    (batch,) = loader
    assert batch["maps"].shape == (16, 1, 16, 16)
    assert batch["target"].shape == (16, 2)
    assert batch["weight"].shape == (16,)
    plain = store.read("dark_field", int(batch["row"][3])).astype(np.float32)
    np.testing.assert_array_equal(batch["maps"][3, 0], 2 * plain)


def test_a_store_of_pairs_knows_no_findings(tmp_path: Path):
    options = SimulateOptions(out=tmp_path / "pairs.zarr", n=4, size=64)
    run_simulation(options, ToyPairMaker(options), Silent())
    data = open_store(options.out).dataset(maps=("attenuation", "dark_field"), target="severity")
    assert data[0]["target"].shape == ()
    with pytest.raises(UsageError, match="no finding to label images by"):
        data.labels()
