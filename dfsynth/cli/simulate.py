"""`dfsynth simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.completion import complete_task, one_of, some_of
from dfsynth.cli.console import Console, console_of
from dfsynth.cli.options import (
    Device,
    JsonFlag,
    LogPath,
    OldPartition,
    Partition,
    Quiet,
    Verbose,
    output_option,
    require_only,
)
from dfsynth.counted_nouns import counted
from dfsynth.errors import ExitStatus, UsageError
from dfsynth.options import (
    BLURRED_LOOKS,
    DEFAULT_PAIRS_SHARD_SIZE,
    DEFAULT_RESTORER,
    DEGRADERS,
    DISPLAYS,
    LAYERS,
    MASKS,
    PETS,
    SimulateOptions,
)
from dfsynth.options.simulate_options import DEFAULT_KEEP, DEFAULT_NODULES
from dfsynth.options.simulate_tasks import BEAMS, CT_TASK, ORIGINS
from dfsynth.tasks import DEFAULT_TASK, task_names

EXAMPLE = "Example: dfsynth simulate --out pairs.zarr --n 1000 --size 256 --severity 0:0.6"


_FOR_VALIDATION = frozenset(
    {"validate", "measured", "task", "n", "seed", "json", "quiet", "verbose", "log"}
)


def simulate(
    context: typer.Context,
    out: Annotated[
        Path | None, output_option("The store to write, for example pairs.zarr.")
    ] = None,
    n: Annotated[
        int | None,
        typer.Option(
            help="How many pairs; of --validate, how many phantoms or scans. "
            "(MRI, PET: default one of each slice)"
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(
            help="What the pairs are for: " + ", ".join(task_names()) + ".",
            autocompletion=complete_task,
        ),
    ] = DEFAULT_TASK,
    size: Annotated[
        int | None,
        typer.Option(
            help="Side of the images in pixels, such as 256. (default: 512; MRI, restoration: 256; "
            "PET: 128)"
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            help="What pairs are made of: phantom, ct, cxr or mixed. (default: phantom; "
            "restoration: by --ct and --cxr)",
            autocompletion=one_of(ORIGINS),
        ),
    ] = None,
    ct: Annotated[
        Path | None,
        typer.Option(help="Folder of CT volumes: NIfTI, NRRD, MetaImage or DICOM series."),
    ] = None,
    cxr: Annotated[
        Path | None,
        typer.Option(help="Folder of frontal chest radiographs, or .csv or .parquet with paths."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    severity: Annotated[
        str, typer.Option(help="Range MIN:MAX of emphysema, from 0 to 1, or one value.")
    ] = "0:1",
    kvp: Annotated[
        str, typer.Option(help="Range MIN:MAX of the tube voltage in kV, or one value.")
    ] = "90:125",
    without: Annotated[
        str,
        typer.Option(
            help="Layers to switch off: a,b,… of " + ", ".join(LAYERS) + ".",
            autocompletion=some_of(LAYERS),
        ),
    ] = "",
    implants: Annotated[
        float | None,
        typer.Option(help="Share of pairs with pacemakers, leads or markers. (default: 0)"),
    ] = None,
    devices: Annotated[
        float | None, typer.Option(hidden=True, help="Old spelling of --implants.")
    ] = None,
    display: Annotated[
        str,
        typer.Option(
            help="Radiographs of bodies: archive, as the display layer leaves them, or restored, "
            "by a network.",
            autocompletion=one_of(DISPLAYS),
        ),
    ] = DISPLAYS[0],
    restorer: Annotated[
        str,
        typer.Option(help="Checkpoint of the task restoration; with --display restored."),
    ] = DEFAULT_RESTORER,
    rotations: Annotated[
        int | None,
        typer.Option(help="Dark-field CT: rotations of the target, 1 to 20. (default: 10)"),
    ] = None,
    shots: Annotated[
        int | None, typer.Option(help="Dark-field CT: exposures a rotation. (default: 2400)")
    ] = None,
    window_shots: Annotated[
        int | None,
        typer.Option(help="Dark-field CT: exposures a retrieval, odd, 21 to 41. (default: 31)"),
    ] = None,
    beam: Annotated[
        str | None,
        typer.Option(
            help="Dark-field CT: parallel or fan. (default: parallel)", autocompletion=one_of(BEAMS)
        ),
    ] = None,
    vibration: Annotated[
        float | None,
        typer.Option(
            help="Dark-field CT: vibration over the usual one; 0: none, with a faster --drift. "
            "(default: 1)"
        ),
    ] = None,
    drift: Annotated[
        float | None,
        typer.Option(help="Dark-field CT: drift of the fringes in cycles/s. (default: 0.5)"),
    ] = None,
    volumes: Annotated[
        Path | None,
        typer.Option(
            help="MRI: folder of volumes of magnitudes: NIfTI, NRRD, MetaImage or DICOM series; "
            "PET: of CT and PET of sessions, NAME_ct.nii.gz beside NAME_pet.nii.gz."
        ),
    ] = None,
    mask: Annotated[
        str,
        typer.Option(
            help="Undersampled MRI: samples that are kept: " + ", ".join(MASKS) + ".",
            autocompletion=one_of(MASKS),
        ),
    ] = MASKS[0],
    keep: Annotated[
        float, typer.Option(help="Undersampled MRI: share of k-space that is kept.")
    ] = DEFAULT_KEEP,
    moves: Annotated[
        str, typer.Option(help="MRI with motion: range MIN:MAX of moves, or one number.")
    ] = "1:6",
    move_mm: Annotated[
        str,
        typer.Option(help="MRI with motion: range MIN:MAX of a move's longest shift in mm."),
    ] = "0.5:4",
    move_deg: Annotated[
        str,
        typer.Option(help="MRI with motion: range MIN:MAX of a move's widest turn in degrees."),
    ] = "0.5:4",
    pet: Annotated[
        str,
        typer.Option(
            help="PET to CT: which PET: " + ", ".join(PETS) + "; any simulates what is missing.",
            autocompletion=one_of(PETS),
        ),
    ] = PETS[0],
    degrader: Annotated[
        str,
        typer.Option(
            help="Restoration: what blurs radiographs: "
            + ", ".join(DEGRADERS)
            + " or the folder of a trained degrader.",
            autocompletion=one_of(DEGRADERS),
        ),
    ] = DEGRADERS[0],
    blurred_look: Annotated[
        str,
        typer.Option(
            help="Restoration: how blurred images look: "
            + ", ".join(BLURRED_LOOKS)
            + "; as their radiographs, or as DRRs that no machine has processed.",
            autocompletion=one_of(BLURRED_LOOKS),
        ),
    ] = BLURRED_LOOKS[0],
    nodules: Annotated[
        float, typer.Option(help="Restoration: share of bodies with nodules in their lungs.")
    ] = DEFAULT_NODULES,
    nodule_mm: Annotated[
        str,
        typer.Option(help="Restoration: range MIN:MAX of a nodule's diameter in mm."),
    ] = "4:30",
    shard_size: Annotated[
        int, typer.Option(help="Pairs a shard: the unit of commit and resume.")
    ] = DEFAULT_PAIRS_SHARD_SIZE,
    partition: Partition = None,
    shard: OldPartition = None,
    workers: Annotated[
        int | None, typer.Option(help="Pairs made at a time. (default: one a core)")
    ] = None,
    device: Device = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and estimate size and time; write nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if any pair failed.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the store that is there and start anew.")
    ] = False,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate",
            help="Write nothing; compare what is simulated with published measurements.",
        ),
    ] = False,
    measured: Annotated[
        Path | None,
        typer.Option(help="Folder of measured dark-field images to compare with; with --validate."),
    ] = None,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make pairs with known truth, to train and test on: radiographs, slices of CT, MRI or PET.

    Simulated images, not for diagnosis. Run the same command again to go on where it stopped.
    """
    with console_of(json, quiet, verbose, log=log) as console:
        if validate:
            require_only(context, _FOR_VALIDATION, "--validate")
            _validate(task, n, seed, measured, console)
            return
        if measured is not None:
            raise UsageError(f"--measured {measured}: expected --validate beside it")
        if out is None:
            raise UsageError("expected --out STORE and --n PAIRS (or --validate)")
        options = SimulateOptions.of(
            out=out,
            n=n,
            task=task,
            size=size,
            origin=origin,
            ct=ct,
            cxr=cxr,
            seed=seed,
            severity=severity,
            kvp=kvp,
            without=without,
            implants=console.renamed("--devices", devices, "--implants", implants) or 0.0,
            display=display,
            restorer=restorer,
            rotations=rotations,
            shots=shots,
            window_shots=window_shots,
            beam=beam,
            vibration=vibration,
            drift=drift,
            volumes=volumes,
            mask=mask,
            keep=keep,
            moves=moves,
            move_mm=move_mm,
            move_deg=move_deg,
            pet=pet,
            degrader=degrader,
            blurred_look=blurred_look,
            nodules=nodules,
            nodule_mm=nodule_mm,
            shard_size=shard_size,
            partition=console.renamed("--shard", shard, "--partition", partition),
            workers=workers,
            device=device,
            overwrite=overwrite,
        )
        if dry_run:
            _dry_run(options, console)
        else:
            _run(options, console, strict)


def _run(options: SimulateOptions, console: Console, strict: bool) -> None:
    from dfsynth.cli.formats import format_counts, report_lines, require_some_made
    from dfsynth.cli.meters import job_progress
    from dfsynth.commands import simulate_store

    with job_progress(console.quiet, "pairs") as progress:
        report = simulate_store(options, progress)
    lines = [
        f"{report.store}: {report.shards_done} of {counted(report.shards, 'shard')} done, "
        f"{counted(report.rows, 'pair')}",
        *report_lines(report, "pair"),
    ]
    if report.excluded:
        lines.append("inputs not used: " + format_counts(report.excluded))
    if report.failed:
        lines.append(f"see why pairs failed: dfsynth info {report.store}")
    console.result(report, "\n".join(lines))
    require_some_made(report, "pair")
    if strict and report.failures:
        raise typer.Exit(ExitStatus.SOME_IMAGES_FAILED)


def _validate(
    task: str, count: int | None, seed: int, measured: Path | None, console: Console
) -> None:
    """The table of a task; exits with 1 where a target is missed."""
    validations = {DEFAULT_TASK: _validate_people, CT_TASK: _validate_scans}
    if task not in validations:
        raise UsageError(
            f"--validate --task {task}: expected {' or '.join(validations)}; pairs of other tasks "
            "are compared with nothing published"
        )
    validations[task](count, seed, measured, console)


def _validate_scans(count: int | None, seed: int, measured: Path | None, console: Console) -> None:
    from dfsynth.cli.meters import job_progress
    from dfsynth.simulation.dark_field_ct.validation import USUAL_SCANS, validate_scans
    from dfsynth.simulation.validation.cohort import tabulate_results

    if measured is not None:
        raise UsageError(f"--measured {measured}: expected --task {DEFAULT_TASK}, found {CT_TASK}")
    scans = USUAL_SCANS if count is None else count
    with job_progress(console.quiet, "scans") as progress:
        progress.start(scans)
        found = validate_scans(scans, seed, lambda: progress.advance(ok=1, failed=0))
    console.result(found, tabulate_results(found.findings))
    if not found.passed:
        raise typer.Exit(ExitStatus.FAILURE)


def _validate_people(
    people: int | None, seed: int, measured: Path | None, console: Console
) -> None:
    from dfsynth.cli.meters import job_progress
    from dfsynth.simulation.validation.cohort import (
        USUAL_PEOPLE,
        tabulate_results,
        validate_cohort,
    )
    from dfsynth.simulation.validation.measured import read_measured, tabulate_comparison

    count = USUAL_PEOPLE if people is None else people
    # Read first: what is wrong with a folder is said before minutes of phantoms.
    images = None if measured is None else read_measured(measured)
    with job_progress(console.quiet, "phantoms") as progress:
        progress.start(count)
        found = validate_cohort(count, seed, lambda: progress.advance(ok=1, failed=0), images)
    tables = [tabulate_results(found.findings)]
    if found.measured is not None:
        tables.append(tabulate_comparison(found.measured))
    console.result(found, "\n\n".join(tables))
    if not found.passed:
        raise typer.Exit(ExitStatus.FAILURE)


def _dry_run(options: SimulateOptions, console: Console) -> None:
    from dfsynth.cli.formats import estimate_lines, format_counts
    from dfsynth.commands import load_simulator
    from dfsynth.jobs.simulate_estimate import estimate_simulation

    found = estimate_simulation(options, load_simulator(options))
    lines = [
        f"would write {counted(found.rows, 'pair')} in {counted(found.shards, 'shard')} to "
        f"{options.out}",
        f"origins: {format_counts(found.origins)}; splits: {format_counts(found.splits)}",
    ]
    if found.excluded:
        lines.append("inputs not used: " + format_counts(found.excluded))
    lines += found.warnings
    lines += estimate_lines(
        found.bytes_estimate,
        found.seconds_estimate,
        counted(found.trials, "pair"),
        "on this machine",
    )
    console.result(found, "\n".join(lines))
