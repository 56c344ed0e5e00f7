"""What the paper on structured amplification leaves open, asked of simulated slices.

    dfsynth simulate --task dark-field-ct --out ct.zarr --n 480 --size 200
    python training/streak_questions.py --data ct.zarr --out runs/questions --seeds 2
    python training/streak_questions.py --out runs/questions --report

Every variant is one training of the same small U-Net, and all see patches of the training patients
alone, as many in each step; test patients are measured against the truth. One result a training
lies in --out/results as soon as it is there: the same command goes on, and --report says what there
is so far and draws a figure for each question. --only takes some of the variants, in the order
given; --minutes ends after the training in hand.
"""

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from question_comparison import REFERENCES
from question_figures import draw_questions
from question_guided import (
    GRID,
    MOST_BIAS,
    MOST_WIDENING,
    ChosenStrength,
    choose_strength,
    guided_filter,
)
from question_report import report_questions
from question_results import GUIDED, RunResult, SliceRow, keep_result, kept_result, read_results
from question_slices import (
    SECOND,
    SliceSet,
    load_slices,
    one_rotation_of,
    open_slices,
    second_rotations,
    streak_directions,
)
from question_training import GUIDE, Restorer, Settings, Variant, restore, sampled, train
from question_uncertainty import uncertainty_values

from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.evaluate.streaks import SliceTruth, measure_slice
from dfsynth.files.durable import write_durably
from dfsynth.records import Float32Map
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings

BOTH: Final = ("single_rotation", GUIDE)
VARIANTS: Final = (
    Variant("plain", averaged=True),
    Variant("truth targets", target="truth", averaged=True),
    Variant("flattened truth targets", target="truth", flatness=1.0),
    Variant("dual", inputs=BOTH, averaged=True),
    Variant("flattened dual truth", inputs=BOTH, target="truth", flatness=1.0, averaged=True),
    Variant("flatter dual truth", inputs=BOTH, target="truth", flatness=4.0, averaged=True),
    Variant("gennorm cascade", likelihood="gennorm", stages=3),
    Variant("oriented", loss="oriented"),
    Variant("sinogram", loss="sinogram"),
    Variant("dual truth", inputs=BOTH, target="truth", averaged=True),
    Variant("second rotation", target=SECOND),
    Variant("own oriented", loss="own_oriented"),
    Variant("filtered sinogram", loss="filtered_sinogram"),
    Variant("l1", loss="l1"),
    Variant("gradient", loss="gradient"),
    Variant("residual", loss="residual"),
    Variant("two stages", stages=2),
    Variant("longer", longer=3),
    Variant("wider", wider=2),
    Variant("gaussian cascade", likelihood="gaussian", stages=3),
    Variant(
        "dual truth longer wider",
        inputs=BOTH,
        target="truth",
        longer=3,
        wider=2,
        averaged=True,
    ),
    Variant("truth targets longer wider", target="truth", longer=3, wider=2, averaged=True),
    Variant("truth targets gradient", target="truth", loss="gradient"),
    Variant("flattened", flatness=1.0),
    Variant(
        "flattened dual truth longer wider",
        inputs=BOTH,
        target="truth",
        flatness=1.0,
        longer=3,
        wider=2,
    ),
)
"""The most telling first."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What all trainings share."""

    out: Path
    settings: Settings
    device: torch.device
    source: StorePairs
    one_rotation: ScanSettings
    """How the slices were scanned."""
    slices: SliceSet
    """To train on."""
    directions: Float32Map
    validation: SliceSet
    """To choose on what is not trained."""
    test: SliceSet
    known: tuple[SliceTruth, ...]
    """Of the test slices."""

    @classmethod
    def open(cls, data: Path, out: Path, settings: Settings, device: torch.device) -> "Bench":
        """Reads a store of pairs."""
        source, one_rotation = open_slices(data), one_rotation_of(data)
        slices, validation, test = (load_slices(source, s) for s in ("train", "val", "test"))
        return cls(
            out=out,
            settings=settings,
            device=device,
            source=source,
            one_rotation=one_rotation,
            slices=slices,
            directions=streak_directions(slices),
            validation=validation,
            test=test,
            known=test.all_known(),
        )

    def made_with(self, variant: Variant | None) -> dict[str, Any]:
        """What a result depends on."""
        found = {
            "settings": asdict(self.settings),
            "variant": None if variant is None else asdict(variant),
            "data": self.source.fingerprint(),
            "train": len(self.slices),
            "test": len(self.test),
        }
        if variant is None or not variant.guided:
            return found
        limits = {"lung bias": MOST_BIAS, "widening": MOST_WIDENING}
        chosen = {"grid": [asdict(strength) for strength in GRID], "limits": limits}
        return found | {"choice": chosen | {"validation": len(self.validation)}}


def main(arguments: Sequence[str] | None = None) -> None:
    usual, named = Settings(), {variant.name: variant for variant in VARIANTS}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a store of dfsynth simulate")
    parser.add_argument("--out", type=Path, required=True, help="where results and figures lie")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each variant")
    parser.add_argument("--only", nargs="+", choices=named, default=list(named), metavar="VARIANT")
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--batch", type=int, default=usual.batch)
    parser.add_argument("--patch", type=int, default=usual.patch)
    parser.add_argument("--widths", type=int, nargs="+", default=list(usual.widths))
    parser.add_argument("--samples", type=int, default=usual.samples)
    parser.add_argument("--minutes", type=float, default=math.inf, help="of trainings begun")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto", help="of training, such as fp32 or bf16")
    parser.add_argument("--report", action="store_true", help="tables and figures, no training")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    if not given.report:
        if given.data is None:
            parser.error("--data is missing; without it there is only --report")
        device = resolve_device(given.device)
        settings = Settings(
            steps=given.steps,
            batch=given.batch,
            patch=given.patch,
            widths=tuple(given.widths),
            precision=resolve_precision(given.precision, device),
            samples=given.samples,
        )
        bench = Bench.open(given.data, given.out, settings, device)
        answer(bench, [named[name] for name in given.only], given.seeds, given.minutes)
    results = read_results(given.out)
    text = report_questions(results)
    print(text)
    write_durably(given.out / "report.md", text.encode() + b"\n", given.out, "report")
    draw_questions(results, given.out)


def answer(bench: Bench, variants: Sequence[Variant], seeds: int, minutes: float) -> None:
    """Trains what there is no result of, all variants with one seed before the next seed."""
    end = time.monotonic() + 60 * minutes
    for name in REFERENCES:
        if kept_result(bench.out, name, 0, bench.made_with(None)) is None:
            rows = _measure(bench, bench.test.maps[name])
            made_with = bench.made_with(None)
            keep_result(bench.out, RunResult(name, 0, made_with, 0.0, 0.0, {"once": rows}, ()))
    for seed in range(seeds):
        for variant in variants:
            made_with = bench.made_with(variant)
            if kept_result(bench.out, variant.name, seed, made_with) is not None:
                continue
            if time.monotonic() >= end:
                print("the time is up; the same command goes on", flush=True)
                return
            keep_result(bench.out, _result(bench, variant, seed))


def _result(bench: Bench, variant: Variant, seed: int) -> RunResult:
    slices = bench.slices
    if variant.target == SECOND:
        more = second_rotations(slices, bench.one_rotation, bench.out / "second")
        slices = replace(slices, maps={**slices.maps, SECOND: more})
    began, losses = time.monotonic(), [math.nan]

    def tell(step: int, loss: float) -> None:
        losses.append(loss)
        seconds = time.monotonic() - began
        print(f"{variant.name}, seed {seed}: step {step}, {loss:.4f}, {seconds:.0f} s", flush=True)

    restorer = train(slices, bench.directions, variant, bench.settings, seed, bench.device, tell)
    seconds, made_with = time.monotonic() - began, bench.made_with(variant)
    restored = {"once": _measure(bench, _restored(bench.test, restorer, variant, averaged=False))}
    chosen = None
    if variant.averaged:
        images = _restored(bench.test, restorer, variant, averaged=True)
        restored["averaged"] = _measure(bench, images)
    if variant.guided:
        chosen = _choose(bench.validation, restorer, variant)
        guides = bench.test.maps[GUIDE]
        pairs = zip(images, guides, strict=True)
        restored[GUIDED] = _measure(bench, [guided_filter(*p, chosen.strength) for p in pairs])
    doubt = () if variant.likelihood == "point" else _uncertainty(bench, restorer, variant, seed)
    return RunResult(variant.name, seed, made_with, seconds, losses[-1], restored, doubt, chosen)


def _choose(validation: SliceSet, restorer: Restorer, variant: Variant) -> ChosenStrength:
    images = _restored(validation, restorer, variant, averaged=True)
    return choose_strength(images, tuple(validation.maps[GUIDE]), validation.all_known())


def _restored(
    slices: SliceSet, restorer: Restorer, variant: Variant, averaged: bool
) -> list[Float32Map]:
    return [
        restore(restorer, slices.channels(variant.inputs, index), averaged)
        for index in range(len(slices))
    ]


def _measure(bench: Bench, images: Sequence[Float32Map] | Float32Map) -> list[SliceRow]:
    return [
        SliceRow(key, patient, measure_slice(image, known).values())
        for key, patient, image, known in zip(
            bench.test.keys, bench.test.patients, images, bench.known, strict=True
        )
    ]


def _uncertainty(bench: Bench, restorer: Restorer, variant: Variant, seed: int) -> list[SliceRow]:
    rows = []
    for index, key in enumerate(bench.test.keys):
        image = bench.test.channels(variant.inputs, index)
        moments = sampled(restorer, image, bench.settings, seed, key)
        values = uncertainty_values(moments, image[0], bench.known[index])
        rows.append(SliceRow(key, bench.test.patients[index], values))
    return rows


if __name__ == "__main__":
    main()
