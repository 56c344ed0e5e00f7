"""How far reduced precision moves each map on the packaged radiographs, against float32.

python benchmarks/precision.py [--precision bf16] [--device auto]
"""

import argparse
import json

import cv2
import numpy as np
from machine import describe_machine
from radiographs import read_grey

import dfsynth
from dfsynth.resources import data_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    radiographs = [
        cv2.resize(read_grey(path), (256, 256)) / np.float32(255)
        for path in sorted(data_folder("samples").glob("*.png"))
    ]
    images = np.stack(radiographs)
    full, reduced = (
        dfsynth.load_generator(device=arguments.device, precision=precision)(images)
        for precision in ("fp32", arguments.precision)
    )
    result: dict[str, object] = {**describe_machine(), "precision": arguments.precision}
    for name in ("mean", "aleatoric", "epistemic"):
        difference = np.abs(getattr(full, name) - getattr(reduced, name))
        result[name] = {"largest": float(difference.max()), "mean": float(difference.mean())}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
