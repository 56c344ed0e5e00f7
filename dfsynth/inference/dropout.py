"""Channel-dropout masks, one counter-based stream an image."""

import numpy as np

from dfsynth.inference.streams import image_stream
from dfsynth.records import Float32Map


def dropout_masks(
    seed: int, image_id: str, samples: int, channels: int, dropout: float
) -> Float32Map:
    """Draws masks (samples, channels) of one image: 0 with probability `dropout`, else 1/(1 − it).

    Drawn from Philox keyed by (seed, image_id), sample by sample, so that neither the batch, the
    order, the shard nor the number of samples asked for changes the masks of a sample.
    """
    drawn = image_stream(seed, image_id).random((samples, channels), np.float32)
    keep = np.float32(1.0 - dropout)
    return (drawn < keep).astype(np.float32) / keep
