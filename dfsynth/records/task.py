"""A task as a frozen record: what goes in, what comes out, and what simulated pairs hold."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import Any, Final, Literal

from dfsynth.records.column import Column
from dfsynth.records.intensity import Intensity, IntensityRange, IntensityWindow
from dfsynth.records.maps import Float32Map

TaskMetric = Literal["streaks", "nodules"]
"""What evaluation measures of images of a task beside what it measures of all: `streaks`, of slices
in 1/m whose truth, lung and air are known, is contrast, resolution, streaks and noise; `nodules`,
of restored radiographs, is contrast-to-noise of labelled nodules by size, and power spectra."""
Colours = Literal["gray", "bone", "cividis", "inferno", "magma", "plasma", "turbo", "viridis"]
"""Colour maps in which arrays of pairs may be drawn."""
DEVIATION_MAPS = ("aleatoric", "epistemic")
"""The uncertainty maps of every task, in the unit of its output."""
LUNG_MAP = "lung"
_ACRONYMS = frozenset({"ct", "pet"})
"""Arrays whose titles are these in capitals."""
_TASK_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ARRAY_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN: Final = frozenset({*DEVIATION_MAPS, LUNG_MAP, "manifest", "run", "image", "y", "x"})
"""Names of other maps of every store, of its folders and of its dimensions."""
_LONGEST_NAME: Final = 64
_RESEARCH: Final = "For research only, not for diagnosis."


@dataclass(frozen=True, slots=True)
class TaskInput:
    """What a network of the task is given.

    Raises:
        ValueError: the intensity range is no low and a higher number, or there is no unit.
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
        _require_range(self.intensity, self.unit)

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
        ValueError: the intensity range is no low and a higher number, or there is no unit.
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
    quantity: Literal["input"] | None = None
    """`input`: that of the input, which is a worse image of it in the same unit and range, so that
    networks may say what to add to it (`[network] residual`); None: another."""

    def __post_init__(self) -> None:
        _require_range(self.intensity, self.unit)

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
    nodules: str | None = None
    """k where the k-th nodule of the image is projected, 0 elsewhere; None where pairs have no such
    labels."""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """What dataset cards say, beside what they say of every store; sentences in full.

    A task whose file leaves one out has plain words of its modality and its output there.
    """

    title: str = ""
    """Of stores of generated images, in a few words."""
    tags: tuple[str, ...] = ()
    """As hubs of data sets spell them."""
    keywords: tuple[str, ...] = ()
    inputs: str = ""
    """What people call what goes in, in the plural."""
    use: str = ""
    """What generated images are for."""
    maps: str = ""
    """What the maps are made from, and that nothing was measured."""
    confirmation: str = ""
    """What has to confirm what is learned from them."""
    pairs_use: str = ""
    """What simulated pairs are for."""
    pairs: str = ""
    """What simulated pairs are computed by, and that nothing was measured."""
    pairs_preparation: str = ""
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
    brightest: Literal["window", "shown"] = "window"
    """What is drawn bright: the window's upper end; or `shown`, the 99th percentile of the images
    that are drawn together, where values have no usual range."""
    unit: str = "1"
    """For people."""
    units: str = "1"
    """As UDUNITS spells it: shares and labels have none."""
    title: str = ""
    """Over its picture; an array without a title is not among the pictures of a pair."""
    shown_unit: str = ""
    """Beside its colour bar."""
    colours: Colours = "gray"
    """Its colour map."""


@dataclass(frozen=True, slots=True)
class Task:
    """What goes in and what comes out.

    Raises:
        ValueError: a name, a window or a notice that cannot be; a role that no array plays, two
            arrays or parameters of one name, or metrics of streaks without masks of lung and air;
            or what panels show has no title.
    """

    name: str
    """Lower-case letters, digits and hyphens."""
    title: str
    """In a few words."""
    modality: str
    """Of what goes in, for people."""
    input: TaskInput
    output: TaskOutput
    window: tuple[float, float]
    """Values of the output that are shown dark and bright, in its unit."""
    pairs: PairRoles
    array: tuple[TaskArray, ...]
    """Of a store of pairs, in order, each (image, y, x)."""
    notice: str = ""
    """What every store of generated images says: they are synthetic, and not for diagnosis. It and
    the next two are made of the modality and the output where the file leaves them out."""
    pairs_notice: str = ""
    """The same of simulated pairs."""
    intended_use: str = ""
    """What cards of checkpoints say that they are for."""
    card: TaskCard = field(default_factory=TaskCard)
    metrics: tuple[TaskMetric, ...] = ()
    """What evaluation measures beside what it measures of every task."""
    parameter: tuple[Column, ...] = field(default=())
    """What is drawn for a pair, as columns of its manifest, all of which may be null."""

    def __post_init__(self) -> None:
        self._check_names()
        for where, (low, high) in self._windows():
            if not (isfinite(low) and isfinite(high) and low < high):
                raise ValueError(f"{where} = {[low, high]}: expected a low and a higher number")
        self._check_roles()
        self._fill_words()
        for notice in (self.notice, self.pairs_notice):
            if "not for diagnosis" not in notice:
                raise ValueError(
                    f"the notice {notice!r} does not say 'not for diagnosis'; expected it, for it "
                    "goes with every image"
                )
        for text in _texts(asdict(self)):
            if not text.isprintable():
                raise ValueError(f"the text {text!r} has a line break or a sign that is not shown")

    def _check_names(self) -> None:
        """Names become folders, files and columns."""
        if not _TASK_NAME.fullmatch(self.name) or len(self.name) > _LONGEST_NAME:
            raise ValueError(
                f"name = {self.name!r}: expected at most {_LONGEST_NAME} lower-case letters, "
                "digits and hyphens, such as 'ultrasound-denoising'"
            )
        given, made = self.input.array, self.output.array
        for where, found in (("input", given), ("output", made)):
            if found in _TAKEN:
                raise ValueError(
                    f"[{where}] array = {found!r}: expected a name that is not taken; "
                    f"{', '.join(sorted(_TAKEN))} are"
                )
        if given == made:
            raise ValueError(
                f"[input] and [output] array are both {made!r}: expected two names, for a store of "
                "generated images may hold both"
            )
        for name in (given, made, *(array.name for array in self.array)):
            if not _ARRAY_NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
                raise ValueError(
                    f"the array {name!r}: expected a name of at most {_LONGEST_NAME} lower-case "
                    "letters, digits and _"
                )

    def _windows(self) -> Iterable[tuple[str, tuple[float, float]]]:
        yield "window", self.window
        for array in self.array:
            yield f"[[array]] {array.name!r} window", array.window
            yield f"[[array]] {array.name!r} span", array.span

    def _check_roles(self) -> None:
        names = [array.name for array in self.array]
        pairs = self.pairs
        roles = pairs.target, pairs.clean, pairs.lung, pairs.air, pairs.nodules
        for role in (self.input.array, *roles):
            if role is not None and role not in names:
                raise ValueError(f"no [[array]] is called {role!r}, found {', '.join(names)}")
        untitled = {array.name for array in self.array if not array.title}
        for role in (self.input.array, pairs.target):
            if role in untitled:
                raise ValueError(f"[[array]] {role!r} needs a title: panels of training show it")
        if self.output.quantity and self._scale(self.input) != self._scale(self.output):
            raise ValueError(
                "[output] quantity = 'input', but networks see the input as "
                f"{self._scale(self.input)} and give the output as {self._scale(self.output)}; "
                "expected one unit and one intensity, or no quantity"
            )
        columns = [column.name for column in self.parameter]
        for found in (names, columns):
            if len(set(found)) < len(found):
                raise ValueError(f"two of one name among {', '.join(found)}")
        if "streaks" in self.metrics and None in (pairs.lung, pairs.air):
            raise ValueError(
                "metrics of streaks need [pairs] lung and air: masks of lung, and of air outside "
                "the body"
            )
        if "nodules" in self.metrics and pairs.nodules is None:
            raise ValueError("metrics of nodules need [pairs] nodules: labels of nodules")
        if len(self.metrics) > 1:
            raise ValueError(
                f"metrics = {list(self.metrics)}: expected one kind at most, of slices or of "
                "radiographs"
            )

    @staticmethod
    def _scale(end: TaskInput | TaskOutput) -> str:
        """What a network's 0 and 1 stand for at either end."""
        low, high = end.intensity or (0.0, 1.0)
        return f"{low:g} to {high:g} {end.unit}"

    def _fill_words(self) -> None:
        """What the file leaves out is said in plain words."""
        given, made = f"{self.modality} images", f"{self.output.noun}s"
        words = {
            "notice": f"Synthetic images: {made} and uncertainty maps were generated by a neural "
            f"network from {given}. {_RESEARCH}",
            "pairs_notice": f"Pairs of {given} and {made}. {_RESEARCH}",
            "intended_use": f"Research: {made}, with doubt, from {given} like those that it was "
            "trained on. The images are synthetic. Not for diagnosis.",
        }
        of_card = {
            "title": f"{self.title[:1].upper()}{self.title[1:]}, synthetic",
            "tags": (self.name,),
            "keywords": (self.modality,),
            "inputs": given,
            "use": f"Research: what uncertainty maps tell of generated {made}, and methods that "
            "work on such images, chosen by their scores.",
            "maps": f"The {made} and uncertainty maps are synthetic: a neural network made them "
            f"from {given}. Nothing of them was measured.",
            "confirmation": f"What is learned from these maps has to be confirmed on measured "
            f"{made}.",
            "pairs_use": f"Research: training and testing networks that make {made} from {given}.",
            "pairs": f"Pairs of {given} and {made}.",
            "pairs_preparation": "Values are as they were given.",
        }
        for name, text in words.items():
            object.__setattr__(self, name, getattr(self, name) or text)
        filled: dict[str, Any] = {
            name: getattr(self.card, name) or text for name, text in of_card.items()
        }
        object.__setattr__(self, "card", replace(self.card, **filled))

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
    def input_noun(self) -> str:
        """What people call one image that goes in."""
        return self.card.inputs.removesuffix("s")

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


def _require_range(intensity: tuple[float, float] | None, unit: str) -> None:
    if not unit.strip():
        raise ValueError("expected a unit such as 'HU', or '1' where there is none, found none")
    if intensity is None:
        return
    low, high = intensity
    if not (isfinite(low) and isfinite(high) and low < high):
        raise ValueError(f"expected as intensity a low and a higher number, found {[low, high]}")


def _texts(found: object) -> Iterable[str]:
    """All texts of nested entries."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, Mapping):
        for value in found.values():
            yield from _texts(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from _texts(value)


def _titled(name: str) -> str:
    """The name of an array as a title: `dark_field` is spelt with a hyphen, as everywhere."""
    if name in _ACRONYMS:
        return name.upper()
    return name.replace("dark_field", "dark-field").replace("_", " ").capitalize()
