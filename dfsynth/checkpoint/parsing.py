"""The text of `model.json` → a model card, every entry checked before anything is built on it."""

from dfsynth.checkpoint.card import CARD_VERSION, ModelCard
from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.error_calibration import read_error_calibration
from dfsynth.checkpoint.networks import CONFIG_READERS
from dfsynth.files.json_record import parse_object
from dfsynth.records import Intensity, IntensityRange, IntensityWindow
from dfsynth.records.grid import LARGEST_SIDE
from dfsynth.tasks import DEFAULT_TASK, Task, parse_own_task, task_names


def parse_card(raw: bytes) -> ModelCard:
    """Parses the bytes of `model.json`.

    Raises:
        ValueError: it is no card of this version or of no known network; the message is a sentence
            part of what was found and expected.
    """
    entries = Entries(parse_object(raw), "it")
    version, network = entries.whole("card_version"), entries.text("network")
    if version != CARD_VERSION or network not in CONFIG_READERS:
        raise ValueError(
            f"it describes network {network!r} in card version {version}; this version of "
            f"dfsynth knows {', '.join(map(repr, CONFIG_READERS))} in card version {CARD_VERSION}"
        )
    unit = entries.text("unit")
    task, own = _task(entries)
    card = ModelCard(
        name=entries.text("name"),
        network=network,
        arguments=CONFIG_READERS[network](entries.table("arguments")),
        grid=_grid(entries.wholes("grid")),
        intensity=_intensity(entries.table("intensity")),
        unit=unit,
        window=_window(entries.reals("window")),
        license=entries.text("licence"),
        intended_use=entries.text("intended_use"),
        limits=entries.text("limits"),
        training_data=entries.text_tables("training_data"),
        recipe=entries.mapping("recipe"),
        metrics=entries.mapping("metrics"),
        calibration=entries.numbers("calibration"),
        error_calibration=read_error_calibration(entries.tables("error_calibration")),
        task=task,
        own_task=own,
        output_intensity=_output_intensity(entries, unit),
    )
    entries.finish()
    return card


def _task(entries: Entries) -> tuple[str, Task | None]:
    """The name of the task, and the task itself where the card carries it."""
    if not entries.has("own_task"):
        return entries.choice("task", task_names(), DEFAULT_TASK), None
    name = entries.text("task")
    return name, parse_own_task(name, entries.mapping("own_task"))


def _intensity(entries: Entries) -> Intensity:
    """A window of percentiles or, where the entries have a unit, a range of values in it."""
    found: Intensity
    if entries.has("unit"):
        found = IntensityRange(entries.real("low"), entries.real("high"), entries.text("unit"))
    else:
        found = IntensityWindow(entries.real("low_percentile"), entries.real("high_percentile"))
    entries.finish()
    return found


def _output_intensity(entries: Entries, unit: str) -> IntensityRange | None:
    """The range of what a network gives, which has the unit of its output."""
    if not entries.has("output_intensity"):
        return None
    found = _intensity(entries.table("output_intensity"))
    if not isinstance(found, IntensityRange) or found.unit != unit:
        raise ValueError(f"the entry 'output_intensity' is no range of values in {unit!r}")
    return found


def _grid(found: tuple[int, ...]) -> tuple[int, int]:
    if len(found) != 2:
        raise ValueError(f"the entry 'grid' has {len(found)} numbers, not height and width")
    if max(found) > LARGEST_SIDE:
        raise ValueError(f"the entry 'grid' has a side above {LARGEST_SIDE} pixels")
    return found[0], found[1]


def _window(found: tuple[float, ...]) -> tuple[float, float]:
    if len(found) != 2 or not found[0] < found[1]:
        raise ValueError("the entry 'window' is not a low and a higher number")
    return found[0], found[1]
