"""What type checkers say of a user's program: strict ones read it, nothing runs.

Each `type: ignore` stands for a mistake that has to be found: checkers refuse one that is not
needed. `make types` reads this as part of the tests; `test_typed_use.py` as a project of its own.
"""

from pathlib import Path
from typing import TypedDict, assert_type

import numpy as np
import torch
from torch.utils.data import DataLoader

import dfsynth
from dfsynth.errors import DfsynthError, ImageError
from dfsynth.evaluate import Evaluation
from dfsynth.inference import MapGenerator
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.filter import Filtered
from dfsynth.jobs.show import Sheet
from dfsynth.jobs.synthetic_image import SyntheticImage
from dfsynth.progress import Silent
from dfsynth.store.dataset import FindingLabels, MapDataset, Sample
from dfsynth.store.row import StoredRow
from dfsynth.train import TrainReport


class Labelled(TypedDict):
    """What this program makes of a sample."""

    image: torch.Tensor
    label: torch.Tensor


def label(sample: Sample) -> Labelled:
    return {"image": sample["maps"], "label": torch.zeros(sample["row"])}


def use_as_it_should_be() -> None:
    report = dfsynth.build(
        "radiographs", "x.zarr", size="256x320", maps="dark_field", partition="0/4", mc_samples=4
    )
    assert_type(report, RunReport)
    assert_type(dfsynth.build("radiographs", "x.zarr", size=(256, 320), batch_size=8), RunReport)
    assert_type(dfsynth.filter_store("x.zarr", keep=0.8, out="kept.csv"), Filtered)
    assert_type(dfsynth.simulate_pairs("p.zarr", 4, severity=0.5, kvp=(90.0, 120.0)), RunReport)
    assert_type(dfsynth.train_generator("tiny-cpu", "p.zarr", "run", member=1), TrainReport)
    assert_type(dfsynth.evaluate_checkpoint("run/best", "p.zarr", split="all"), Evaluation)
    assert_type(dfsynth.draw_contact_sheet("x.zarr", ids=["a", "b"]), Sheet)
    assert_type(dfsynth.load_generator("default", mc="fast"), MapGenerator)


def look_at_a_store(folder: Path) -> str:
    report = dfsynth.build(folder, "x.zarr", size=256, maps=("dark_field",), progress=None)
    store = dfsynth.open_store("x.zarr")
    row = store.row("a.png")
    assert_type(row, StoredRow)
    shape: tuple[int, ...] = store.read("dark_field", row=0).shape
    return f"{report.ok}, {row.image_id}, {shape}, {store.provenance['notice']}"


def load_a_store() -> MapDataset[Sample]:
    store = dfsynth.open_store("x.zarr")
    data = store.dataset(where="predicted_error < 0.4", split="train", target=("Effusion",))
    assert_type(data, MapDataset[Sample])
    assert_type(data[0]["maps"], torch.Tensor)
    assert_type(data[0]["image_id"], str)
    labels = data.labels(uncertain=1.0)
    assert_type(labels, FindingLabels)
    assert_type(labels.pos_weight, torch.Tensor)
    loader: DataLoader[Sample] = DataLoader(data, batch_size=4)
    print(len(loader), data.weights("uncertainty").sum())
    return data


def transform_samples() -> Labelled:
    data = dfsynth.open_store("x.zarr").dataset(transform=label, weight_by="uncertainty")
    assert_type(data, MapDataset[Labelled])
    return data[0]


def generate_one(path: str) -> float | None:
    try:
        image = dfsynth.generate(path, mc="fast", size=(128, 128))
    except ImageError as error:
        print(error.code.value)
        return None
    except DfsynthError:
        return None
    assert_type(image, SyntheticImage)
    again = dfsynth.generate(np.zeros((64, 64), np.uint8), inverted=True)
    print(image.dark_field.max() - again.dark_field.max(), image.flags, image.polarity)
    return image.scores["predicted_error"]


def misspell_an_option_of_each() -> None:
    dfsynth.build("radiographs", "x.zarr", mc_sample=4)  # type: ignore[call-arg]
    dfsynth.filter_store("x.zarr", kepp=0.8)  # type: ignore[call-arg]
    dfsynth.export("x.zarr", "pngs", to="png", spaec="source")  # type: ignore[call-arg]
    dfsynth.write_report("x.zarr", thumbnail=8)  # type: ignore[call-arg]
    dfsynth.simulate_pairs("p.zarr", 4, sise=64)  # type: ignore[call-arg]
    dfsynth.train_generator("tiny-cpu", "p.zarr", "run", members=1)  # type: ignore[call-arg]
    dfsynth.evaluate_checkpoint("run/best", "p.zarr", splt="all")  # type: ignore[call-arg]
    dfsynth.draw_contact_sheet("x.zarr", id="a")  # type: ignore[call-arg]
    dfsynth.generate("a.png", mc_sample=4)  # type: ignore[call-arg]
    dfsynth.load_generator("default", mcs="fast")  # type: ignore[call-arg]


def give_a_wrong_type() -> None:
    dfsynth.build("radiographs", "x.zarr", mc_samples="many")  # type: ignore[arg-type]
    dfsynth.build("radiographs", "x.zarr", dtype="float8")  # type: ignore[arg-type]
    dfsynth.simulate_pairs("p.zarr", 4, severity=None)  # type: ignore[arg-type]
    dfsynth.build("radiographs", "x.zarr", progress="bar")  # type: ignore[arg-type]
    dfsynth.build("radiographs", "x.zarr", progress=Silent())
    dfsynth.generate(3)  # type: ignore[arg-type]
    store = dfsynth.open_store("x.zarr")
    store.dataset(split="validation")  # type: ignore[call-overload]
    store.dataset(transform=3)  # type: ignore[call-overload]
    store.manifest_as("arrow")  # type: ignore[call-overload]
    store.row(1.5)  # type: ignore[arg-type]
