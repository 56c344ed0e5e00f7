"""A weak classifier would flatter the simulator; this one sees what a slight blur takes away."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from radiographs import to_eight_bits
from sharp_classifier import SharpClassifier, classify, train_classifier

from dfsynth.statistics import auroc


def textures(count: int, blur_px: float, seed: int) -> NDArray[np.uint8]:
    """Soft clouds with some grain, as uneven in both as radiographs are."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        clouds = cv2.GaussianBlur(rng.standard_normal((192, 192), np.float32), (0, 0), 12)
        lines = cv2.GaussianBlur(rng.standard_normal((192, 192), np.float32), (0, 0), 1.0)
        image = clouds / clouds.std() + rng.uniform(0.1, 0.4) * lines / lines.std()
        if blur_px:
            image = cv2.GaussianBlur(image, (0, 0), blur_px)
        made.append(to_eight_bits(image.astype(np.float32)))
    return np.stack(made)


def test_it_tells_sharp_from_slightly_blurred() -> None:
    network = train_classifier(textures(24, 0.0, 0), textures(24, 0.7, 1), steps=30, seed=0)
    sharp, blurred = classify(network, textures(8, 0.0, 2)), classify(network, textures(8, 0.7, 3))
    scores = np.concatenate([sharp, blurred])
    assert auroc(scores, np.repeat([False, True], 8)) > 0.95


def test_equal_seeds_give_equal_networks() -> None:
    image_set = textures(4, 0.0, 0)
    one, other = (train_classifier(image_set, image_set, steps=2, seed=5) for _ in range(2))
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_an_image_and_its_mirror_image_get_one_score() -> None:
    network = SharpClassifier().eval()
    image_set = textures(2, 0.0, 0)
    np.testing.assert_allclose(
        classify(network, image_set), classify(network, image_set[:, :, ::-1]), atol=1e-5
    )
