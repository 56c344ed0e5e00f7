"""What `dfsynth.generate` gives: the maps of one image and what is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dfsynth.records import Float32Map, GeneratorFacts, Geometry, ImageFacts
from dfsynth.report import SheetRow, columns_of_images, image_columns, images_markup
from dfsynth.tasks import Task, task_of

_SHOWN: Final = ("predicted_error", "error_bound", "uncertainty", "lung_fraction", "ood_score")
"""Scores that a notebook shows beside the maps."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SyntheticImage:
    """The maps of one radiograph, (y, x) of the grid each, with scores and flags.

    Synthetic, for research only, not for diagnosis. A notebook shows its four maps.
    """

    image_id: str
    maps: Mapping[str, Float32Map]
    """By name: dark_field, aleatoric, epistemic, attenuation and, where the checkpoint gives it,
    lung; rounded as a store of the `dtype` asked for holds them."""
    scores: Mapping[str, float | None]
    """The scores of a manifest, by column; None where one is not known."""
    flags: tuple[str, ...]
    """Remarks, as in a manifest: no_lung, clipped, …"""
    geometry: Geometry
    """Where the image lies in the grid; `dfsynth.preprocess.to_source` takes it."""
    facts: ImageFacts
    """Size, depth and pixel pitch of what was given."""
    polarity: str
    """What was taken as bright, and why."""
    window: tuple[float, float]
    """The values that became 0 and 1: of radiographs grey values, after the file's own window or
    table; else in the unit that the checkpoint takes."""
    generator: GeneratorFacts
    """The checkpoint: name, hash, unit and display window of the dark-field image."""

    @property
    def task(self) -> Task:
        """What the generator is for."""
        return task_of(self.generator.task, self.generator.own_task)

    @property
    def output(self) -> Float32Map:
        """The synthetic image (y, x), in the unit of the generator."""
        return self.maps[self.task.output.array]

    @property
    def dark_field(self) -> Float32Map:
        """The same of dark-field radiography (y, x): its dark-field image.

        Raises:
            KeyError: the generator has another task.
        """
        return self.maps["dark_field"]

    @property
    def aleatoric(self) -> Float32Map:
        """Standard deviation (y, x) of what the data leave open, same unit."""
        return self.maps["aleatoric"]

    @property
    def epistemic(self) -> Float32Map:
        """Standard deviation (y, x) of what the networks disagree on, same unit."""
        return self.maps["epistemic"]

    @property
    def input(self) -> Float32Map:
        """What the generator saw (y, x), in the unit of the task's input."""
        return self.maps[self.task.input.array]

    @property
    def attenuation(self) -> Float32Map:
        """The same of dark-field radiography (y, x): the radiograph in [0, 1], dense is bright.

        Raises:
            KeyError: the generator has another task.
        """
        return self.maps["attenuation"]

    @property
    def lung(self) -> Float32Map | None:
        """Probability of lung (y, x), in [0, 1]; None where the checkpoint does not give it."""
        return self.maps.get("lung")

    def __repr__(self) -> str:
        height, width = self.output.shape
        error = self.scores["predicted_error"]
        said = "" if error is None else f", predicted_error {error:.3g}"
        flags = "".join(f", {flag}" for flag in self.flags)
        return f"<SyntheticImage {self.image_id!r}: {height} × {width}{said}{flags}>"

    def _repr_html_(self) -> str:
        """Four maps side by side with scores and what was assumed, as HTML for a notebook."""
        shown = {name: self._content(name) for name in image_columns(self.task)}
        columns = columns_of_images(self.task, self.generator.unit, self.generator.window, [shown])
        row = SheetRow((self.image_id, *self.flags), tuple(shown.values()))
        low, high = self.window
        facts = {
            "given": f"{self.facts.height} × {self.facts.width} pixels, {self.facts.bits} bits",
            "polarity": self.polarity,
            "window": f"{low:.6g} to {high:.6g}",
            "generator": self.generator.name,
            **{name: f"{value:.4g}" for name in _SHOWN if (value := self.scores[name]) is not None},
        }
        return images_markup(row, columns, facts, self.task.notice)

    def _content(self, name: str) -> Float32Map:
        return self.maps[name][self.geometry.content]
