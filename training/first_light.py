"""Makes the first embedded checkpoint: outlines → pairs → cascade → calibration → folder.

    python training/first_light.py --data DIR --out runs/first-light

DIR holds `cxr/` and `cxr-masks/`, each with a `labels.csv` (file, patient_id, license and a
column with the path of the drawn lung mask, or nothing). Radiographs or masks whose licence
forbids commercial use are never trained on. Finished steps are kept in --out and not repeated.
"""

import argparse
import csv
import hashlib
import json
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import Cascade
from dfsynth.models.unet import UNet
from dfsynth.preprocess import prepare
from dfsynth.records import DecodedImage, Float32Map, IntensityWindow
from dfsynth.simulate import CohortScattering, lung_shape
from dfsynth.simulate.cxr import (
    READER_OUTPUTS,
    LungReader,
    NetworkReader,
    clean_outline,
    is_plausible,
)
from dfsynth.train import Augmentation, CascadeTrainer, Phase, Radiograph, Weights, draw_example
from dfsynth.train.lessons import field_lesson
from dfsynth.train.loop import Batch, stack
from dfsynth.train.reader import ReaderSchedule, ReaderTrainer

RECIPE = Path(__file__).parent / "recipes" / "first-light.toml"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a labels table."""

    path: Path
    patient_id: str
    mask: Path | None
    source: str
    licence: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    arguments = parser.parse_args()
    recipe = tomllib.loads(arguments.recipe.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True)
    log = open_log(arguments.out / "metrics.jsonl")
    listed = [x for x in list_radiographs(arguments.data) if is_free_to_use(x.licence, recipe)]
    outliner = make_outliner(arguments.out / "outline.safetensors", listed, recipe, log)
    radiographs = shape_radiographs(listed, outliner, recipe)
    print(f"{len(radiographs)} of {len(listed)} radiographs have plausible lungs")
    train_cascade(arguments.out, radiographs, recipe, log)


def list_radiographs(data: Path) -> list[Listed]:
    """Both labels tables under `data`, in order."""
    found = []
    for folder, mask_column in (("cxr", "lung_mask"), ("cxr-masks", "mask")):
        with (data / folder / "labels.csv").open(newline="") as table:
            for line in csv.DictReader(table):
                mask = data / folder / line[mask_column] if line[mask_column] else None
                path = data / folder / line["file"]
                found.append(
                    Listed(path, line["patient_id"], mask, line["source"], line["license"])
                )
    return found


def is_free_to_use(licence: str, recipe: dict) -> bool:
    """Whether the recipe names this licence: what is not known to be free is not trained on."""
    return licence in recipe["free_licences"]


def share_of(patient_id: str, recipe: dict) -> str:
    """train, validation, calibration or test: the same for all pictures of a patient."""
    digest = hashlib.blake2b(f"{recipe['seed']}:{patient_id}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / 2**64
    for name in ("test", "calibration", "validation"):
        drawn -= recipe["split"][name]
        if drawn < 0:
            return name
    return "train"


def load_grey(path: Path, grid: int) -> tuple[Float32Map, tuple[slice, slice]]:
    """A picture as a checkpoint sees it, (grid, grid) in [0, 1], and where its content lies."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(path)
    decoded = DecodedImage(pixels, 0.0, 255.0, 8, "MONOCHROME2", None)
    ready = prepare(decoded, (grid, grid), IntensityWindow())
    return ready.image, ready.geometry.content


def load_mask(path: Path, grid: int) -> Float32Map:
    """A drawn mask in the same grid, 0 or 1."""
    image, _ = load_grey(path, grid)
    return (image > 0.5).astype(np.float32)


def make_outliner(path: Path, listed: list[Listed], recipe: dict, log: Callable) -> LungReader:
    """A lung reader that was shown outlines alone, from `path` if it is there."""
    if path.exists():
        return load_outliner(path, recipe)
    train = [x for x in listed if x.mask and share_of(x.patient_id, recipe) == "train"]
    grid = recipe["grid"]
    drawn = [field_lesson(load_grey(x.path, grid)[0], load_mask(x.mask, grid) > 0) for x in train]
    print(f"outlines: training on {len(drawn)} drawn masks")
    settings = recipe["outline"]
    schedule = ReaderSchedule(
        widths=tuple(settings["widths"]),
        steps=settings["steps"],
        batch=8,
        learning_rate=settings["learning_rate"],
        seed=recipe["seed"],
    )
    trainer = ReaderTrainer(schedule, torch.bfloat16)
    trainer.run(
        lambda rng: drawn[rng.integers(len(drawn))],
        schedule.steps,
        lambda step, loss: log("outline", step - 1, loss),
    )
    weights = trainer.averaged.state_dict()
    save_file({k: v.contiguous() for k, v in weights.items()}, path)
    return NetworkReader(trainer.averaged, grid)


def load_outliner(path: Path, recipe: dict) -> LungReader:
    network = UNet(1, READER_OUTPUTS, recipe["outline"]["widths"])
    network.load_state_dict(load_file(path))
    return NetworkReader(network.eval(), recipe["grid"])


def load_trained(path: Path, recipe: dict) -> Cascade:
    """The cascade with the weights that a finished phase left."""
    cascade = Cascade(cascade_config(recipe))
    cascade.load_state_dict(load_file(path))
    return cascade.eval()


def cascade_config(recipe: dict) -> CascadeConfig:
    return CascadeConfig(recipe["stages"], tuple(recipe["widths"]), recipe["dropout"])


def shape_radiographs(
    listed: list[Listed], outliner: LungReader, recipe: dict
) -> list[tuple[str, Radiograph]]:
    """(share, radiograph) for each picture whose lungs are drawn or can be outlined."""
    shaped = []
    for entry in listed:
        image, _ = load_grey(entry.path, recipe["grid"])
        if entry.mask:
            lung = load_mask(entry.mask, recipe["grid"]) > 0
        else:
            probability = outliner(image).field
            lung = clean_outline(probability)
            if not is_plausible(lung, probability):
                continue
        shape = lung_shape(image, lung)
        radiograph = Radiograph(
            entry.patient_id,
            image,
            lung.astype(np.float32),
            shape.hidden.astype(np.float32),
            shape.relative_thickness,
            shape.aeration,
        )
        shaped.append((share_of(entry.patient_id, recipe), radiograph))
    return shaped


def draw_batches(
    radiographs: list[Radiograph],
    augmentation: Augmentation,
    batch: int,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Endless batches; each pass over the radiographs is a new order."""
    queue: list[int] = []
    while True:
        if len(queue) < batch:
            queue = rng.permutation(len(radiographs)).tolist()
        chosen, queue = queue[:batch], queue[batch:]
        yield stack(
            [
                draw_example(
                    radiographs[i], CohortScattering(), augmentation, IntensityWindow(), rng
                )
                for i in chosen
            ]
        )


def train_cascade(
    out: Path, radiographs: list[tuple[str, Radiograph]], recipe: dict, log: Callable
) -> None:
    """Runs the phases in order; a phase whose weights are in `out` is not run again."""
    torch.manual_seed(recipe["seed"])
    cascade = Cascade(cascade_config(recipe)).to(memory_format=torch.channels_last)
    trainer = CascadeTrainer(
        cascade, Weights(**recipe["weights"]), recipe["seed"], recipe["ema_decay"], torch.bfloat16
    )
    train = [r for share, r in radiographs if share == "train"]
    for number, line in enumerate(recipe["phase"]):
        phase = Phase(line["name"], tuple(line["stages"]), line["steps"], line["learning_rate"])
        path = out / f"{phase.name}.safetensors"
        if path.exists():
            state = load_file(path)
            cascade.load_state_dict(state)
            trainer.average.module.load_state_dict(state)
            continue
        rng = np.random.default_rng([recipe["seed"], number])
        augmentation = Augmentation(gas_share=line.get("gas_share", 0.0))
        trainer.run(phase, draw_batches(train, augmentation, recipe["batch"], rng), log)
        # The average goes on from here: later stages are trained on what will be shipped.
        cascade.load_state_dict(trainer.average.module.state_dict())
        save_file({k: v.contiguous() for k, v in cascade.state_dict().items()}, path)


def open_log(path: Path) -> Callable[[str, int, float], None]:
    """A logger of losses, to `path` as JSON lines and every 50 steps to the terminal."""
    started = time.monotonic()
    recent: list[float] = []

    def log(phase: str, step: int, loss: float) -> None:
        recent.append(loss)
        if (step + 1) % 50 == 0:
            seconds = time.monotonic() - started
            mean = float(np.mean(recent[-50:]))
            with path.open("a") as file:
                file.write(json.dumps({"phase": phase, "step": step + 1, "loss": mean}) + "\n")
            print(f"{seconds:7.0f} s  {phase}  step {step + 1}  loss {mean:.4f}", flush=True)

    return log


if __name__ == "__main__":
    main()
