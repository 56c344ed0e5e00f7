"""A task as a frozen record: what goes in, what comes out, and what simulated pairs hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dfsynth.records import Column, Float32Map, Intensity, IntensityRange, IntensityWindow

TaskMetric = Literal["streaks"]
"""What evaluation measures of images of a task beside what it measures of all: `streaks`, of slices
in 1/m whose truth, lung and air are known, is contrast, resolution, streaks and noise."""
DEVIATION_MAPS = ("aleatoric", "epistemic")
"""The uncertainty maps of every task, in the unit of its output."""
LUNG_MAP = "lung"
_ACRONYMS = frozenset({"ct", "pet"})
"""Arrays whose titles are these in capitals."""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """What a network of the task is given.

    Raises:
        ValueError: the intensity range is no low and a higher number.
    """

    array: str
    """Its name among the arrays of pairs, and as a map of a store."""
    long_name: str
    unit: str
    """Spelt as UDUNITS does; "1" where there is none."""
    intensity: tuple[float, float] | None = None
    """The values in `unit` that a network sees as 0 and 1, not clipped; None where grey values
    have no unit, and each image is windowed between its percentiles."""

    def __post_init__(self) -> None:
        _require_range(self.intensity)

    @property
    def convention(self) -> Intensity:
        """How networks of the task take their input."""
        if self.intensity is None:
            return IntensityWindow()
        return IntensityRange(*self.intensity, self.unit)

    def restore(self, image: Float32Map) -> Float32Map:
        """An image (y, x) as a network sees it → in `unit`; where that has none, as it is."""
        convention = self.convention
        return convention.restore(image) if isinstance(convention, IntensityRange) else image


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """What a network of the task gives.

    Raises:
        ValueError: the intensity range is no low and a higher number.
    """

    array: str
    """Its name as a map of a store."""
    noun: str
    """What long names call it, such as `dark-field image`."""
    unit: str
    """Spelt as UDUNITS does; "1" where there is none."""
    intensity: tuple[float, float] | None = None
    """The values in `unit` that a network gives as 0 and 1; None where it gives them as they
    are."""

    def __post_init__(self) -> None:
        _require_range(self.intensity)

    @property
    def convention(self) -> IntensityRange | None:
        """How networks of the task give their output; None: in `unit`."""
        return None if self.intensity is None else IntensityRange(*self.intensity, self.unit)


@dataclass(frozen=True, slots=True)
class PairRoles:
    """Which arrays of pairs play which part, by name."""

    target: str
    """What networks are trained on."""
    clean: str | None = None
    """The truth that evaluation measures against; None where the target is all that is known of
    it, as an image that was measured is."""
    lung: str | None = None
    """Of integers: 1 where lung is, 2 where it is hidden; None where images show no lungs, and
    nothing is said of any."""
    air: str | None = None
    """1 in air outside the body; None where pairs have no mask of it."""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """What dataset cards say, beside what they say of every store; sentences in full."""

    title: str
    """Of stores of generated images, in a few words."""
    tags: tuple[str, ...]
    """As hubs of data sets spell them."""
    keywords: tuple[str, ...]
    inputs: str
    """What people call what goes in, in the plural."""
    use: str
    """What generated images are for."""
    maps: str
    """What the maps are made from, and that nothing was measured."""
    confirmation: str
    """What has to confirm what is learned from them."""
    pairs_use: str
    """What simulated pairs are for."""
    pairs: str
    """What simulated pairs are computed by, and that nothing was measured."""
    pairs_preparation: str
    """How the inputs of pairs were prepared."""
    pairs_noun: str = "simulated pairs"
    """What pairs are called: `pairs` where some hold measured images alone."""
    mixed: str = ""
    """What pairs of the origin `mixed` are made of; empty where there is none."""


@dataclass(frozen=True, slots=True)
class TaskArray:
    """One array of a store of pairs, and how it is looked at and exported."""

    name: str
    dtype: Literal["float32", "uint8"]
    meaning: str
    window: tuple[float, float]
    """Values that are shown dark and bright: where most of what matters lies, not every value."""
    span: tuple[float, float]
    """Values between which whole numbers of 16 bits are spread in exports."""
    unit: str = "1"
    """For people."""
    units: str = "1"
    """As UDUNITS spells it: shares and labels have none."""
    title: str = ""
    """Over its picture; an array without a title is not among the pictures of a pair."""
    shown_unit: str = ""
    """Beside its colour bar."""
    colours: str = "gray"
    """The name of its colour map."""


@dataclass(frozen=True, slots=True)
class Task:
    """What goes in and what comes out.

    Raises:
        ValueError: a role that no array plays, two arrays or parameters of one name, or metrics of
            streaks without masks of lung and air; or what panels show has no title.
    """

    name: str
    title: str
    """In a few words."""
    modality: str
    """Of what goes in, for people."""
    notice: str
    """What every store of generated images says: they are synthetic, and not for diagnosis."""
    pairs_notice: str
    """The same of simulated pairs."""
    intended_use: str
    """What cards of checkpoints say that they are for."""
    card: TaskCard
    input: TaskInput
    output: TaskOutput
    window: tuple[float, float]
    """Values of the output that are shown dark and bright, in its unit."""
    pairs: PairRoles
    array: tuple[TaskArray, ...]
    """Of a store of pairs, in order, each (image, y, x)."""
    metrics: tuple[TaskMetric, ...] = ()
    """What evaluation measures beside what it measures of every task."""
    parameter: tuple[Column, ...] = field(default=())
    """What is drawn for a pair, as columns of its manifest, all of which may be null."""

    def __post_init__(self) -> None:
        names = [array.name for array in self.array]
        pairs = self.pairs
        for role in (self.input.array, pairs.target, pairs.clean, pairs.lung, pairs.air):
            if role is not None and role not in names:
                raise ValueError(f"no [[array]] is called {role!r}, found {', '.join(names)}")
        untitled = {array.name for array in self.array if not array.title}
        for role in (self.input.array, pairs.target):
            if role in untitled:
                raise ValueError(f"[[array]] {role!r} needs a title: panels of training show it")
        columns = [column.name for column in self.parameter]
        for found in (names, columns):
            if len(set(found)) < len(found):
                raise ValueError(f"two of one name among {', '.join(found)}")
        if "streaks" in self.metrics and None in (pairs.lung, pairs.air):
            raise ValueError(
                "metrics of streaks need [pairs] lung and air: masks of lung, and of air outside "
                "the body"
            )

    @property
    def has_lungs(self) -> bool:
        """Whether images show lungs; else nothing is said of any, in pairs or in maps."""
        return self.pairs.lung is not None

    @property
    def map_words(self) -> Mapping[str, str]:
        """The maps (y, x) that a store of generated images can hold, and what each shows."""
        noun = self.output.noun
        words = {
            self.output.array: f"synthetic {noun}",
            **{name: f"{name} standard deviation of the {noun}" for name in DEVIATION_MAPS},
            self.input.array: self.input.long_name,
        }
        return words | {LUNG_MAP: "probability of lung"} if self.has_lungs else words

    @property
    def input_title(self) -> str:
        """Over pictures of what goes in."""
        return _titled(self.input.array)

    @property
    def output_title(self) -> str:
        """Over pictures of what comes out."""
        return _titled(self.output.array)

    @property
    def input_array(self) -> TaskArray:
        """How what goes in is looked at in pairs."""
        return next(array for array in self.array if array.name == self.input.array)

    def input_window(
        self, output_unit: str, output_window: tuple[float, float]
    ) -> tuple[float, float]:
        """Values of the input that are shown dark and bright, beside an output in its unit.

        Grey values without a unit are 0 to 1; in one unit, both are drawn alike.
        """
        if self.input.intensity is None:
            return 0.0, 1.0
        return output_window if self.input.unit == output_unit else self.input_array.window

    @property
    def output_maps(self) -> tuple[str, ...]:
        """The maps in the unit of the output: what a build stores where nothing is asked for."""
        return (self.output.array, *DEVIATION_MAPS)

    def map_units(self, output_unit: str) -> Mapping[str, str]:
        """The unit of each map, spelt as UDUNITS does, where a checkpoint gives `output_unit`."""
        units = dict.fromkeys(self.map_words, "1")
        units |= dict.fromkeys(self.output_maps, output_unit)
        return units | {self.input.array: self.input.unit}


def _require_range(intensity: tuple[float, float] | None) -> None:
    if intensity is not None and not intensity[0] < intensity[1]:
        raise ValueError(
            f"expected as intensity a low and a higher number, found {list(intensity)}"
        )


def _titled(name: str) -> str:
    """The name of an array as a title: `dark_field` is spelt with a hyphen, as everywhere."""
    if name in _ACRONYMS:
        return name.upper()
    return name.replace("dark_field", "dark-field").replace("_", " ").capitalize()
