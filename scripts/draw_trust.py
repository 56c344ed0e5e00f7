"""Draws docs/images/trust.png: radiographs that a score likes least, beside those it likes best.

    python scripts/draw_trust.py docs/images/trust.png

The packaged radiographs as they are, and some of them spoilt: black for white, turned, halved, in a
hard window, or nothing but noise.
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import dfsynth
from dfsynth.resources import data_folder

_SHOWN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    picture = parser.parse_args().picture.resolve()
    with tempfile.TemporaryDirectory() as name:
        source, store = Path(name) / "radiographs", Path(name) / "x.zarr"
        write_pictures(source)
        dfsynth.build(source=source, out=store, mc="fast")
        dfsynth.draw_contact_sheet(store, source=source, out=picture, worst=_SHOWN, by="ood_score")


def write_pictures(folder: Path) -> None:
    """The packaged radiographs, and one spoilt in each way."""
    folder.mkdir()
    samples = sorted(data_folder("samples").glob("*.png"))
    read = [np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in samples]
    for path, pixels in zip(samples, read, strict=True):
        cv2.imwrite(str(folder / path.name), pixels)
    for name, pixels in spoilt(read).items():
        cv2.imwrite(str(folder / f"{name}.png"), pixels)


def spoilt(read: list[NDArray[np.uint8]]) -> dict[str, NDArray[np.uint8]]:
    """Name → picture, of five of the radiographs or of none."""
    low, high = np.quantile(read[3], [0.25, 0.75])
    window = np.clip((read[3].astype(float) - low) / (high - low), 0, 1) * 255
    noise = np.random.default_rng(0).integers(0, 256, (256, 256))
    return {
        "inverted": 255 - read[0],
        "turned": np.ascontiguousarray(np.rot90(read[1])),
        "half": read[2][:, : read[2].shape[1] // 2],
        "hard-window": window.astype(np.uint8),
        "noise": noise.astype(np.uint8),
    }


if __name__ == "__main__":
    main()
