"""The flags of an image: short remarks in its manifest row, and what each says."""

from collections.abc import Mapping
from typing import Final

LOW_CONTRAST: Final = "low_contrast"
CLIPPED: Final = "clipped"
BEYOND_RANGE: Final = "beyond_range"
NO_LUNG: Final = "no_lung"

LEARNED_FLAGS: Final[Mapping[str, str]] = {
    "not_chest": "The image shows no chest, or too little of one",
    "lateral": "The chest is seen from the side",
    "inverted": "Dense tissue is dark: the polarity is wrong",
    "rotated": "The image is turned, by 90° or 180° or about as much",
    "devices": "Implants, leads, tubes or other devices lie over the chest",
}
"""What a checkpoint's heads may remark, by name: a sentence each."""

IMAGE_FLAGS: Final[Mapping[str, str]] = {
    LOW_CONTRAST: "The image uses few of the grey values that its depth has",
    CLIPPED: "Much of the image sits on an end of its depth's range",
    BEYOND_RANGE: "Much of the image is far from the values that the network knows: it may be in "
    "another unit",
    NO_LUNG: "No lung was found, or too little to be one",
    **LEARNED_FLAGS,
}
"""Every flag that an image can have: a sentence each."""
