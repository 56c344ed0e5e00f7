"""Makes the packaged checkpoint from a finished run and its assessment.

    python training/package.py --data DIR --run runs/first-light \\
        --assessment runs/first-light/assessment/metrics.json --out dfsynth/data/checkpoints/default

Refuses training data whose licence forbids commercial use, and weights over 16 MB.
"""

import argparse
import json
import tomllib
from collections import Counter
from pathlib import Path

from first_light import (
    RECIPE,
    Listed,
    cascade_config,
    is_free_to_use,
    list_radiographs,
    load_trained,
    share_of,
)

from dfsynth.checkpoint import NETWORK, WEIGHTS, ModelCard
from dfsynth.generate import save_checkpoint
from dfsynth.records import IntensityWindow

MOST_BYTES = 16_000_000
INTENDED_USE = (
    "Research and software testing: making semi-realistic dark-field images and uncertainty maps "
    "from frontal chest radiographs, to build and try pipelines. Not for diagnosis."
)
LIMITS = (
    "Trained on semi-synthetic pairs: real radiographs with targets drawn from a simple model of "
    "lung thickness and scattering, never on measured dark-field images. It knows where lung is "
    "and roughly how thick and how aerated it looks; it cannot know a patient's own dark-field "
    "coefficient, and shows no emphysema that the radiograph does not show. Lateral views, "
    "children and other body parts give meaningless maps."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--assessment", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", default="gas", help="phase whose weights are packaged")
    arguments = parser.parse_args()
    recipe = tomllib.loads(RECIPE.read_text())
    metrics = json.loads(arguments.assessment.read_text())
    listed = [x for x in list_radiographs(arguments.data) if is_free_to_use(x.licence, recipe)]
    grid = recipe["grid"]
    card = ModelCard(
        name="first-light",
        network=NETWORK,
        arguments=cascade_config(recipe),
        grid=(grid, grid),
        intensity=IntensityWindow(),
        unit="1",
        window=(0.0, 0.6),
        licence="Apache-2.0",
        intended_use=INTENDED_USE,
        limits=LIMITS,
        training_data=describe_data(listed, recipe),
        recipe=recipe,
        calibration=metrics.pop("calibration"),
        metrics=metrics,
    )
    network = load_trained(arguments.run / f"{arguments.weights}.safetensors", recipe)
    save_checkpoint(arguments.out, network, card)
    size = (arguments.out / WEIGHTS).stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{size} bytes of weights; a packaged checkpoint has at most {MOST_BYTES}")
    print(f"{arguments.out}: {size / 1e6:.1f} MB")


def describe_data(listed: list[Listed], recipe: dict) -> tuple[dict[str, str], ...]:
    """Each collection with its licence and how many of its items were listed for training.

    Radiographs whose lungs could not be outlined plausibly were left out of these.
    """
    used = Counter(
        (x.source, x.licence) for x in listed if share_of(x.patient_id, recipe) == "train"
    )
    drawn = sum(
        x.mask is not None and "Hannover" in x.source
        for x in listed
        if share_of(x.patient_id, recipe) == "train"
    )
    # The Montgomery masks belong to that set; those over Hannover's pictures are V7 Labs'.
    used["V7 Labs COVID-19 X-ray lung masks", "CC BY 4.0"] = drawn
    blocked = [name for name, licence in used if not is_free_to_use(licence, recipe)]
    if blocked:
        raise SystemExit(f"{blocked[0]} is not known to be free; it cannot be in packaged weights")
    return tuple(
        {"name": name, "licence": licence, "listed_for_training": str(count)}
        for (name, licence), count in sorted(used.items())
    )


if __name__ == "__main__":
    main()
