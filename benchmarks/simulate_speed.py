"""How many pairs a minute `dfsynth simulate` makes; prints JSON.

    python benchmarks/simulate_speed.py [--device cpu] [--sizes 256 512] [--pairs 40] [--ct FOLDER]

Phantoms (or volumes of a folder) with every layer, written to a store, from the first pair to the
last commit. On a GPU:

    python benchmarks/simulate_speed.py --device cuda --sizes 512 --pairs 600
"""

import argparse
import json
import tempfile
from pathlib import Path

from machine import describe_machine

import dfsynth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--ct", type=Path, help="volumes in place of phantoms")
    arguments = parser.parse_args()
    origin = "phantom" if arguments.ct is None else "ct"
    result: dict[str, object] = {
        **describe_machine(),
        "device": arguments.device,
        "origin": origin,
    }
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            report = dfsynth.simulate_pairs(
                out=Path(folder) / "pairs.zarr",
                n=arguments.pairs,
                size=size,
                device=arguments.device,
                origin=origin,
                ct=arguments.ct,
            )
            result[f"{size}x{size}"] = {
                "pairs": report.ok,
                "pairs_per_minute": round(60 * report.ok / report.seconds, 1),
            }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
