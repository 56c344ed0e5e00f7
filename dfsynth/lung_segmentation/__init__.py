"""Lung segmentation of frontal chest radiographs: the network, its training, weights and regions.

`load_lung_network` reads a network from a checkpoint, calling it gives a `LungPrediction`, and
`locate_lungs` makes two clean lungs of that or says why the image is no chest radiograph.
`LungTrainer` trains a network on `LungSample`s.
"""

from dfsynth.lung_segmentation.augmentation import LungAugmentation
from dfsynth.lung_segmentation.checkpoint import (
    NETWORK_NAME,
    LungNetworkCard,
    load_lung_network,
    packaged_lung_network,
    save_lung_network,
)
from dfsynth.lung_segmentation.network import (
    OUTPUT_CHANNELS,
    LungPrediction,
    LungSegmentationNetwork,
    LungSegmenter,
)
from dfsynth.lung_segmentation.regions import (
    LungRegions,
    NotAChestRadiograph,
    is_plausible,
    locate_lungs,
)
from dfsynth.lung_segmentation.samples import (
    LungSample,
    lung_field_sample,
    pseudo_labelled_sample,
    simulated_sample,
    whole_lung_sample,
)
from dfsynth.lung_segmentation.training import LungTrainer, LungTrainingOptions

__all__ = [
    "NETWORK_NAME",
    "OUTPUT_CHANNELS",
    "LungAugmentation",
    "LungNetworkCard",
    "LungPrediction",
    "LungRegions",
    "LungSample",
    "LungSegmentationNetwork",
    "LungSegmenter",
    "LungTrainer",
    "LungTrainingOptions",
    "NotAChestRadiograph",
    "is_plausible",
    "load_lung_network",
    "locate_lungs",
    "lung_field_sample",
    "packaged_lung_network",
    "pseudo_labelled_sample",
    "save_lung_network",
    "simulated_sample",
    "whole_lung_sample",
]
