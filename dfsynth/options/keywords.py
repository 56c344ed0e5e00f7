"""What the Python interface takes by keyword, in the spellings that each option has there.

The options themselves, with their meanings and defaults, are the dataclasses beside this module;
`GivenOptions.of` makes them of these. Here is only which types may be written, so that a type
checker and an editor know every name. A test holds the two to the same names.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar, get_args

from dfsynth.options.build_options import DtypeChoice, Engine, ViewChoice
from dfsynth.options.export_options import ExportSpace
from dfsynth.records import MonteCarloMode, SamplerName

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Function = TypeVar("Function", bound=Callable[..., Any])

GivenPath: TypeAlias = str | Path
GivenNames: TypeAlias = str | Iterable[str]
"""One name, several separated by commas, or a list of them."""
GivenPartition: TypeAlias = str | Iterable[int] | None
""""I/N" or (I, N)."""
GivenRange: TypeAlias = str | float | Iterable[float]
""""MIN:MAX", (min, max), or one number for both."""


class BuildKeywords(TypedDict, total=False):
    """Of `dfsynth.build`; `BuildOptions` says what each means."""

    root: GivenPath | None
    checkpoint: GivenPath
    size: int | str | Iterable[int] | None
    mc_samples: int
    mc: MonteCarloMode
    sampler: SamplerName | None
    sampler_steps: int | None
    guidance: float | None
    seed: int
    batch_size: int | str | None
    precision: str
    device: str
    shard_size: int | str | None
    partition: GivenPartition
    workers: int | None
    limit: int | None
    views: ViewChoice | None
    maps: GivenNames | None
    dtype: DtypeChoice | None
    max_pixels: int | None
    max_bytes: int | None
    timeout_s: float | None
    overwrite: bool
    extend: bool
    engine: Engine
    ray_address: str | None
    ray_workers: int | None
    ray_cores: int | None
    retry_failed: GivenNames | None


class ExportKeywords(TypedDict, total=False):
    """Of `dfsynth.export`; `ExportOptions` says what each means."""

    where: str | None
    include_no_lung: bool
    space: ExportSpace
    dtype: str | None
    overwrite: bool


class FilterKeywords(TypedDict, total=False):
    """Of `dfsynth.filter_store`; `FilterOptions` says what each means."""

    where: str | None
    keep: float | None
    by: str | None
    include_no_lung: bool
    out: GivenPath | None
    max_error: float | None
    confidence: float | None
    risk: float | None
    checkpoint: str | None
    calibrate: GivenPath | None


class SimulateKeywords(TypedDict, total=False):
    """Of `dfsynth.simulate_pairs`; `SimulateOptions` says what each means."""

    task: str
    size: int | None
    origin: str | None
    ct: GivenPath | None
    cxr: GivenPath | None
    seed: int
    severity: GivenRange
    kvp: GivenRange
    without: GivenNames
    implants: float
    display: str
    restorer: str
    rotations: int | None
    shots: int | None
    window_shots: int | None
    beam: str | None
    vibration: float | None
    drift: float | None
    volumes: GivenPath | None
    mask: str
    keep: float
    moves: GivenRange
    move_mm: GivenRange
    move_deg: GivenRange
    pet: str
    degrader: str
    blurred_look: str
    nodules: float
    nodule_mm: GivenRange
    shard_size: int
    partition: GivenPartition
    workers: int | None
    device: str
    overwrite: bool


class TrainKeywords(TypedDict, total=False):
    """Of `dfsynth.train_generator`; `TrainOptions` says what each means."""

    targets: GivenPath | None
    task: GivenPath | None
    size: int | None
    start_from: str | None
    member: int | None
    device: str
    precision: str
    memory_bytes: int


class EvaluationKeywords(TypedDict, total=False):
    """Of `dfsynth.evaluate_checkpoint`; `EvaluationOptions` says what each means."""

    targets: GivenPath | None
    split: str
    ood: GivenPath | None
    limit: int | None
    calibration: str
    mc_samples: int
    mc: MonteCarloMode
    sampler: SamplerName | None
    sampler_steps: int | None
    guidance: float | None
    device: str
    precision: str
    seed: int


class GenerateKeywords(TypedDict, total=False):
    """Of `dfsynth.generate`; `GenerateOptions` says what each means."""

    checkpoint: GivenPath
    size: int | str | Iterable[int] | None
    mc_samples: int
    mc: MonteCarloMode
    sampler: SamplerName | None
    sampler_steps: int | None
    guidance: float | None
    seed: int
    batch_size: int | str | None
    precision: str
    device: str
    dtype: DtypeChoice
    max_pixels: int | None
    max_bytes: int | None
    image_id: str | None
    inverted: bool


class ShowKeywords(TypedDict, total=False):
    """Of `dfsynth.draw_contact_sheet`; `ShowOptions` says what each means."""

    images: int
    ids: GivenNames
    where: str | None
    worst: int | None
    by: str | None
    source: GivenPath | None
    root: GivenPath | None
    truth: GivenPath | None
    max_pixels: int | None
    max_bytes: int | None


class ReportKeywords(TypedDict, total=False):
    """Of `dfsynth.write_report`; `ReportOptions` says what each means."""

    out: GivenPath | None
    thumbnails: int
    source: GivenPath | None
    root: GivenPath | None
    checkpoint: str | None
    max_pixels: int | None
    max_bytes: int | None


def spell_out(options: "type[DataclassInstance]") -> Callable[[Function], Function]:
    """Gives a function of `**options: Unpack[...Keywords]` a signature that lists every option.

    `help`, editors and the documentation then show the names, and the defaults of `options`.
    """

    def spell_out_of(function: Function) -> Function:
        function.__signature__ = _spelt_out(function, options)  # type: ignore[attr-defined]
        return function

    return spell_out_of


def _spelt_out(function: Callable[..., Any], options: "type[DataclassInstance]") -> Signature:
    written = signature(function)
    *named, rest = written.parameters.values()
    (keywords,) = get_args(rest.annotation)
    defaults = {field.name: field.default for field in fields(options)}
    listed = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=kind)
        for name, kind in keywords.__annotations__.items()
    ]
    return written.replace(parameters=[*named, *listed])
