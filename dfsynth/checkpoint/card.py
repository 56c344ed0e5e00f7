"""The model card: `model.json` as a record, and its text."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dfsynth.checkpoint.error_calibration import CalibrationRow
from dfsynth.checkpoint.later_entries import leave_out_later
from dfsynth.checkpoint.networks import NetworkConfig
from dfsynth.files.json_record import stored_entries
from dfsynth.files.toml_record import record_entries
from dfsynth.records import Intensity, IntensityRange
from dfsynth.tasks import DEFAULT_TASK, Task, task_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CARD_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `model.json` says of a generator."""

    name: str
    network: str
    """The family of networks, by its name in `dfsynth.checkpoint.networks`."""
    arguments: NetworkConfig
    """The configuration of the network, of the type that its family has."""
    grid: tuple[int, int]
    """Height and width in pixels of the images that the network was trained on."""
    intensity: Intensity
    unit: str
    window: tuple[float, float]
    """Display window of the output's values, low and high, in `unit`."""
    license: str
    intended_use: str
    limits: str
    training_data: tuple[dict[str, str], ...]
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    """Quantile, as text, → k: the central interval mean ± k · total standard deviation."""
    error_calibration: tuple[CalibrationRow, ...] = ()
    """What `dfsynth filter --max-error` goes by: images of calibration patients at `grid`, with 20
    Monte-Carlo samples, on which a lung was found. Absent from `model.json` where there are none.
    """
    task: str = DEFAULT_TASK
    """What the network is for, by the name of the task. Absent from `model.json` of the default."""
    output_intensity: IntensityRange | None = None
    """The values, in `unit`, that the network gives as 0 and 1; None, and absent from `model.json`,
    where it gives them in `unit`."""
    own_task: Task | None = None
    """The task itself, so that a checkpoint needs no other file; None, and absent from
    `model.json`, where it comes with dfsynth."""
    card_version: int = CARD_VERSION

    @property
    def task_record(self) -> Task:
        """What the network is for."""
        return task_of(self.task, self.own_task)


def encode_card(card: "DataclassInstance") -> str:
    """Writes a card, of a generator or of another network, as the text of `model.json`.

    Unlike `encode_json` it lets NaN and infinity through, which scores of a training may be.
    """
    entries = stored_entries(card)
    # Cards that were written before there were such entries come back byte for byte.
    if not entries.get("error_calibration"):
        entries.pop("error_calibration", None)
    if entries.get("task") == DEFAULT_TASK:
        entries.pop("task")
    if entries.get("output_intensity") is None:
        entries.pop("output_intensity", None)
    entries.pop("own_task", None)
    if isinstance(card, ModelCard) and card.own_task is not None:
        entries["own_task"] = record_entries(card.own_task)
    if isinstance(card, ModelCard):
        leave_out_later(card.arguments, entries["arguments"])
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
