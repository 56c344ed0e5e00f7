"""Runs the packaged checkpoint on arrays of your own, without a store.

python examples/generate_arrays.py
"""

import cv2
import numpy as np

import dfsynth
from dfsynth.resources import data_folder


def main() -> None:
    path = data_folder("samples") / "nih_00001426_000.png"
    radiograph = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if radiograph is None:
        raise FileNotFoundError(path)
    image = cv2.resize(radiograph, (256, 256), interpolation=cv2.INTER_AREA) / np.float32(255)
    generator = dfsynth.load_generator("default", mc_samples=10, seed=0)
    out = generator(image[None])
    print("dark-field", out.mean.shape, f"largest {out.mean.max():.2f}")
    print(f"aleatoric, mean {out.aleatoric.mean():.3f}; epistemic, mean {out.epistemic.mean():.3f}")


if __name__ == "__main__":
    main()
