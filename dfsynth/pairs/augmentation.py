"""Changes of pairs on the device that trains: what may be drawn, drawing it, applying it."""

from dataclasses import dataclass

from dfsynth.errors import UsageError


@dataclass(frozen=True, slots=True)
class DeviceAugmentation:
    """Ranges of what is drawn for each pair; what is 0, False or None changes nothing.

    Position (flips, rotation, scale, shift, crop) changes a radiograph and its targets together;
    look (contrast, brightness, gamma, noise) changes the radiograph alone.

    Raises:
        UsageError: a range that makes no sense.
    """

    flip_horizontal: bool = True
    """Left and right, half of the pairs."""
    flip_vertical: bool = False
    """Up and down, half of the pairs; makes networks blind to how a picture lies."""
    rotation_deg: float = 10.0
    """Largest turn to either side."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Smallest and largest size over that of the picture."""
    shift: float = 0.0
    """Largest move along each axis, in sides of the picture."""
    contrast: float = 0.2
    """Largest change of the factor by which grey values differ from their mean. [assumed]"""
    brightness: float = 0.0
    """Largest value that is added to all grey values or taken from them."""
    gamma: float = 0.0
    """Largest size of the logarithm of the exponent of grey values."""
    noise: float = 0.0
    """Largest standard deviation of what is added to each grey value."""
    crop: int | None = None
    """Side in pixels of a patch, as the last step; None keeps whole pictures."""

    def __post_init__(self) -> None:
        for name in ("rotation_deg", "brightness", "gamma", "noise"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise UsageError(f"[augmentation] {name} = {getattr(self, name)}: expected 0 or up")
        for name in ("shift", "contrast"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(
                    f"[augmentation] {name} = {getattr(self, name)}: expected 0 to less than 1"
                )
        if not 0 < self.scale[0] <= self.scale[1] < float("inf"):
            raise UsageError(
                f"[augmentation] scale = {list(self.scale)}: expected two numbers above 0, the "
                "smaller first"
            )
        if self.crop is not None and self.crop < 1:
            raise UsageError(f"[augmentation] crop = {self.crop}: expected 1 pixel or more")
