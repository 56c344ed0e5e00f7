"""The Python interface beside `open_store`: one function for each job, as the command line has it.

A job that is called in a notebook shows a bar below its cell; with `progress=None` it shows none,
and with a `dfsynth.progress.Progress` it tells that.

Whatever a job needs is imported when it is called: a build loads nothing of training, and a
finished store is recognised before torch is loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from dfsynth.commands import build_store, filter_images, simulate_store
from dfsynth.extras import load_evaluation
from dfsynth.notebook import ShownProgress, ShownTraining, job_progress, training_progress
from dfsynth.options import (
    DEFAULT_MC_SAMPLES,
    BuildOptions,
    EvaluationOptions,
    ExportOptions,
    FilterOptions,
    GenerateOptions,
    ReportOptions,
    ShowOptions,
    SimulateOptions,
    TrainOptions,
)
from dfsynth.options.keywords import (
    BuildKeywords,
    EvaluationKeywords,
    ExportKeywords,
    FilterKeywords,
    GenerateKeywords,
    ReportKeywords,
    ShowKeywords,
    SimulateKeywords,
    TrainKeywords,
    spell_out,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfsynth.evaluate import Evaluation, EvaluationReport
    from dfsynth.inference import MapGenerator
    from dfsynth.jobs.engine import RunReport
    from dfsynth.jobs.exporter import ExportReport
    from dfsynth.jobs.filter import Filtered
    from dfsynth.jobs.given_image import ImageInput
    from dfsynth.jobs.reporting.job import Report
    from dfsynth.jobs.show import Sheet
    from dfsynth.jobs.synthetic_image import SyntheticImage
    from dfsynth.records import MonteCarloMode, SamplerName
    from dfsynth.train import TrainReport


@spell_out(BuildOptions)
def build(
    source: str | Path,
    out: str | Path,
    *,
    progress: ShownProgress = "auto",
    **options: Unpack[BuildKeywords],
) -> "RunReport":
    """Builds a store as `dfsynth build` does; `options` are the fields of `BuildOptions`.

    `size` may be one number or (height, width), `maps` one name or several.

    Call it again with the same arguments to go on where it stopped.

    Example:
        >>> report = dfsynth.build(
        ...     source="radiographs", out="x.zarr", size=64, mc_samples=2, precision="fp32"
        ... )
        >>> report.ok, report.failed
        (2, 0)

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
        TypeError: an option that does not exist.
    """
    wanted = BuildOptions.of(source=source, out=out, **options)
    return build_store(wanted, job_progress(progress))


@spell_out(FilterOptions)
def filter_store(
    store: str | Path, *, progress: ShownProgress = "auto", **options: Unpack[FilterKeywords]
) -> "Filtered":
    """Chooses images of a store as `dfsynth filter` does; `options`: `FilterOptions`' fields.

    With `max_error` the result's `promise` says the threshold and what it rests on; with `out`
    the kept rows are written to a .parquet, .csv or .json file.

    Example:
        >>> found = dfsynth.filter_store(
        ...     "x.zarr", keep=0.5, by="epistemic_mean", include_no_lung=True
        ... )
        >>> found.kept, found.total
        (1, 2)

    Raises:
        UsageError: wrong options, no store, a bad predicate or column, or a promise that the
            calibration cannot give.
        ConflictError: the checkpoint is not the one that made the store.
        DfsynthError: a damaged store or checkpoint, or `out` cannot be written.
        TypeError: an option that does not exist.
    """
    return filter_images(FilterOptions.of(store=store, **options), job_progress(progress))


@spell_out(ExportOptions)
def export(
    store: str | Path,
    out: str | Path,
    *,
    to: str,
    progress: ShownProgress = "auto",
    **options: Unpack[ExportKeywords],
) -> "ExportReport":
    """Writes images of a store as `dfsynth export` does; nothing is generated anew.

    `to` is png, tiff, dicom, webdataset or parquet for files of chosen images in a folder; zarr or
    hdf5 for the store in that format, with equal values, manifest, plan and provenance. Call it
    again with the same arguments to go on, and to take what was committed or redone since.
    `options` are the other fields of `ExportOptions`.

    Example:
        >>> report = dfsynth.export("x.zarr", "x.h5", to="hdf5")
        >>> report.ok, report.shards_done
        (2, 1)
        >>> report = dfsynth.export("x.zarr", "tiffs", to="tiff", space="source")
        >>> report.images, report.left_out
        (2, 0)

    Raises:
        UsageError: no store, an unknown `to`, options that do not suit it, a library of an extra
            that is not installed, or nothing to export.
        ConflictError: `out` holds something else.
        StoreError: the store is damaged, or the disk refuses; committed shards are intact.
        TypeError: an option that does not exist.
    """
    from dfsynth.jobs.export import run_export

    wanted = ExportOptions.of(store=store, out=out, to=to, **options)
    return run_export(wanted, job_progress(progress))


@spell_out(SimulateOptions)
def simulate_pairs(
    out: str | Path,
    n: int | None = None,
    *,
    progress: ShownProgress = "auto",
    **options: Unpack[SimulateKeywords],
) -> "RunReport":
    """Makes a store of `n` pairs as `dfsynth simulate` does; `options`: `SimulateOptions`' fields.

    `severity` and `kvp` may be one number or (min, max), `without` one name or several. Without
    `n` the tasks of MRI make a pair of every slice; `size` and `origin` are those of the task where
    they are not given.

    Call it again with the same arguments to go on where it stopped.

    Example:
        >>> report = dfsynth.simulate_pairs("pairs.zarr", n=12, size=64, severity=(0.0, 0.6))
        >>> report.ok
        12

    Raises:
        UsageError: wrong options, no usable input, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
        TypeError: an option that does not exist.
    """
    wanted = SimulateOptions.of(out=out, n=n, **options)
    return simulate_store(wanted, job_progress(progress, "pairs"))


@spell_out(TrainOptions)
def train_generator(
    recipe: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    progress: ShownTraining = "auto",
    **options: Unpack[TrainKeywords],
) -> "TrainReport":
    """Trains a generator as `dfsynth train` does; `options` are the fields of `TrainOptions`.

    `out/best` is then a checkpoint, calibrated on the calibration patients where there are any.
    Call it again with the same arguments to go on where it stopped.

    Example:
        >>> report = dfsynth.train_generator(
        ...     "recipe.toml", "pairs.zarr", "runs/first", precision="fp32"
        ... )
        >>> report.best.name, report.steps
        ('best', 4)

    Raises:
        UsageError: a recipe, pairs or device that cannot work, or a conflict with what `out` holds.
        DfsynthError: a failure that ends the run; the last state is kept.
        TypeError: an option that does not exist.
    """
    from dfsynth.train import run_training

    wanted = TrainOptions.of(recipe=recipe, data=data, out=out, **options)
    return run_training(wanted, training_progress(progress))


def join_members(
    checkpoints: "Sequence[str | Path]", out: str | Path, *, name: str = "members"
) -> Path:
    """Joins checkpoints that were trained as members into one checkpoint, the folder `out`.

    They share the Monte-Carlo samples of an image out, and their disagreement is epistemic
    uncertainty. The joined checkpoint has neither metrics nor calibrated intervals: those are of
    single members.

    Example:
        >>> members = [
        ...     dfsynth.train_generator(
        ...         "recipe.toml", "pairs.zarr", f"runs/{m}", member=m, precision="fp32"
        ...     ).best
        ...     for m in (0, 1)
        ... ]
        >>> dfsynth.join_members(members, "runs/joined").name
        'joined'

    Raises:
        UsageError: fewer than two checkpoints, or of networks, grids or windows that differ.
        CheckpointError: one of them is damaged.
        OSError: the disk refuses.
    """
    from dfsynth.checkpoint import checkpoint_path, read_checkpoint
    from dfsynth.inference import join_members as join
    from dfsynth.inference import save_checkpoint
    from dfsynth.options.checks import require_disk

    folder = Path(out)
    require_disk(folder)
    files = [read_checkpoint(checkpoint_path(str(each))) for each in checkpoints]
    network, card = join(name, files)
    save_checkpoint(folder, network, card)
    return folder


@spell_out(EvaluationOptions)
def evaluate_checkpoint(
    checkpoint: str | Path,
    data: str | Path,
    *,
    out: str | Path | None = None,
    progress: ShownProgress = "auto",
    **options: Unpack[EvaluationKeywords],
) -> "Evaluation":
    """Figures of a checkpoint on pairs, as `dfsynth evaluate` gives them.

    `options` are the fields of `EvaluationOptions`; with `out`, the files are written there.

    Example:
        >>> scores = dfsynth.evaluate_checkpoint(
        ...     "runs/first/best", "pairs.zarr", split="all", mc_samples=2, precision="fp32"
        ... )
        >>> scores.images, len(scores.stages)
        (12, 1)

    Raises:
        UsageError: wrong options, or pairs that cannot be used.
        CheckpointError: the checkpoint is damaged.
        StoreError: a damaged store of pairs, or `out` cannot be written; where that fails in the
            end, it is an `UnwrittenReportError` whose `report.scores` are the figures.
        TypeError: an option that does not exist.
    """
    evaluation = load_evaluation()
    wanted = EvaluationOptions.of(checkpoint=checkpoint, data=data, **options)
    folder = None if out is None else Path(out)
    report: EvaluationReport = evaluation.run_evaluation(wanted, folder, job_progress(progress))
    return report.scores


@spell_out(ShowOptions)
def draw_contact_sheet(
    store: str | Path, *, out: str | Path | None = None, **options: Unpack[ShowKeywords]
) -> "Sheet":
    """Draws images of a store as one image, as `dfsynth show` does.

    `options` are the fields of `ShowOptions`; with `worst`, the images that the score `by` likes
    least stand beside those that it likes best.

    Example:
        >>> sheet = dfsynth.draw_contact_sheet(
        ...     "x.zarr", out="worst.png", worst=1, by="epistemic_mean"
        ... )
        >>> len(sheet.images), sheet.ranking.worst_is
        (2, 'highest')

    Raises:
        UsageError: wrong options, no store, an unknown id, column or condition, or nothing to draw.
        StoreError: a damaged store, or an image that cannot be written.
        TypeError: an option that does not exist.
    """
    from dfsynth.jobs.show import draw_sheet

    return draw_sheet(ShowOptions.of(store=store, out=out, **options))


@spell_out(ReportOptions)
def write_report(
    store: str | Path, *, progress: ShownProgress = "auto", **options: Unpack[ReportKeywords]
) -> "Report":
    """Writes a report to open in a browser, as `dfsynth report` does.

    Of a store of images or pairs, or of the folder that an evaluation wrote. `options` are the
    fields of `ReportOptions`; an earlier report at `out` is replaced.

    Example:
        >>> report = dfsynth.write_report("x.zarr", out="report", thumbnails=2)
        >>> report.page.name, report.images, report.thumbnails
        ('index.html', 2, 2)

    Raises:
        UsageError: wrong options, neither a store nor an evaluation, or an `out` that holds
            something else.
        DfsynthError: a damaged store, evaluation or checkpoint, or `out` cannot be written.
        TypeError: an option that does not exist.
    """
    from dfsynth.jobs.reporting.job import run_report

    return run_report(ReportOptions.of(store=store, **options), job_progress(progress))


@spell_out(GenerateOptions)
def generate(image: "ImageInput", **options: Unpack[GenerateKeywords]) -> "SyntheticImage":
    """Makes the synthetic dark-field image of one radiograph, with uncertainties and scores.

    `image` is the path of a PNG, JPEG, TIFF or DICOM file, a data set of pydicom, or an array
    (y, x) of whole or floating-point numbers of any range, dense tissue bright unless `inverted`.
    A checkpoint that takes values in a unit, such as slices in 1/m, takes them as they are: of
    float TIFF, NumPy, NIfTI or rescaled DICOM files, or an array (y, x) of numbers.
    `options` are the fields of `GenerateOptions`: with those of a build, maps and scores are what
    the build stores, bit for bit. What was taken as bright, and which grey values as 0 and 1,
    stand in `polarity` and `window` of the result. The two networks that were used last stay
    loaded, for all threads; for many images, `build` is the way. A process that is forked after a
    call, other than a worker of a DataLoader, needs `torch.set_num_threads(1)` before the next one:
    PyTorch's threads do not outlive a fork.

    Example:
        >>> made = dfsynth.generate(
        ...     np.linspace(0, 255, 4096).reshape(64, 64), mc_samples=2, precision="fp32"
        ... )
        >>> made.dark_field.shape, made.polarity
        ((256, 256), 'an array says nothing of it: dense tissue is taken as bright')

    Raises:
        UsageError: something that is no image, wrong options, or no such checkpoint or device.
        ImageError: an image that cannot be decoded; its `code` says why.
        CheckpointError: the checkpoint is damaged.
        TypeError: an option that does not exist.
    """
    from dfsynth.jobs.one_image import generate_image

    return generate_image(image, GenerateOptions.of(**options))


def load_generator(
    checkpoint: str = "default",
    *,
    device: str = "auto",
    precision: str = "auto",
    mc_samples: int = DEFAULT_MC_SAMPLES,
    seed: int = 0,
    mc: "MonteCarloMode" = "full",
    sampler: "SamplerName | None" = None,
    sampler_steps: int | None = None,
    guidance: float | None = None,
) -> "MapGenerator":
    """A checkpoint to call on arrays: (n, H, W) in [0, 1], dense bright → mean and uncertainties.

    A checkpoint that takes values in a unit, such as slices in 1/m, takes (value - low) /
    (high - low) of the range in its card, inside [0, 1] or not. The maps that a call gives are
    (n, H, W) float32, in the unit of the dark-field image. With `mc` "fast", each member runs once,
    without dropout, and `mc_samples` is not used. How a checkpoint of the families diffusion and
    flow draws samples out of noise can be chosen, otherwise than its card says: `sampler`, its
    `sampler_steps`, and the weight of classifier-free `guidance`.

    Example:
        >>> generator = dfsynth.load_generator("default", mc_samples=2, precision="fp32")
        >>> maps = generator(np.zeros((1, 64, 64), np.float32))
        >>> maps.mean.shape, maps.epistemic.shape
        ((1, 64, 64), (1, 64, 64))

    Raises:
        UsageError: no such checkpoint or device, or a sampler that the checkpoint does not have.
        CheckpointError: the checkpoint is damaged.
        ValueError: when it is called, of whole numbers or of values that the checkpoint does not
            take: `dfsynth.preprocess.to_unit_range` makes an image a model input as a build does.
    """
    from dfsynth.checkpoint import checkpoint_path, read_checkpoint
    from dfsynth.checkpoint.packaged import require_members
    from dfsynth.devices import resolve_device, resolve_precision
    from dfsynth.inference import load_map_generator
    from dfsynth.records import SamplerChoice

    files = read_checkpoint(checkpoint_path(checkpoint))
    if mc == "fast":
        require_members(files)
    where = resolve_device(device)
    exact = resolve_precision(precision, where)
    choice = SamplerChoice(sampler, sampler_steps, guidance)
    return load_map_generator(files, where, exact, mc_samples, seed, mc, choice=choice)
