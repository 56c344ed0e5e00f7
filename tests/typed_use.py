"""What a type checker says of a program that uses dfsynth; mypy reads it, nothing runs.

Each `type: ignore` stands for a mistake that has to be found: mypy refuses one that is not needed.
"""

from typing import assert_type

import dfsynth
from dfsynth.evaluate import Evaluation
from dfsynth.inference import MapGenerator
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.filter import Filtered
from dfsynth.jobs.show import Sheet
from dfsynth.store.dataset import MapDataset
from dfsynth.train import TrainReport


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
    assert_type(dfsynth.open_store("x.zarr").dataset(keep=0.5), MapDataset)


def misspell_an_option_of_each() -> None:
    dfsynth.build("radiographs", "x.zarr", mc_sample=4)  # type: ignore[call-arg]
    dfsynth.filter_store("x.zarr", kepp=0.8)  # type: ignore[call-arg]
    dfsynth.simulate_pairs("p.zarr", 4, sise=64)  # type: ignore[call-arg]
    dfsynth.train_generator("tiny-cpu", "p.zarr", "run", members=1)  # type: ignore[call-arg]
    dfsynth.evaluate_checkpoint("run/best", "p.zarr", splt="all")  # type: ignore[call-arg]
    dfsynth.draw_contact_sheet("x.zarr", id="a")  # type: ignore[call-arg]
    dfsynth.load_generator("default", mcs="fast")  # type: ignore[call-arg]


def give_a_wrong_type() -> None:
    dfsynth.build("radiographs", "x.zarr", mc_samples="many")  # type: ignore[arg-type]
    dfsynth.build("radiographs", "x.zarr", dtype="float8")  # type: ignore[arg-type]
    dfsynth.simulate_pairs("p.zarr", 4, severity=None)  # type: ignore[arg-type]
