"""`dfsynth build`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from dfsynth.cli.completion import (
    complete_checkpoint,
    complete_corpus,
    complete_maps,
    one_of,
    some_of,
)
from dfsynth.cli.console import Console, console_of
from dfsynth.cli.options import (
    Guidance,
    JsonFlag,
    LogPath,
    MaxBytes,
    MaxPixels,
    MonteCarlo,
    OldPartition,
    Partition,
    Precision,
    Quiet,
    Sampler,
    SamplerSteps,
    Verbose,
    Views,
    output_option,
)
from dfsynth.cli.signals import soft_stop
from dfsynth.counted_nouns import counted
from dfsynth.errors import ErrorCode, ExitStatus
from dfsynth.options import (
    ALL_GPUS,
    DEFAULT_MC_SAMPLES,
    DTYPES,
    BuildOptions,
)
from dfsynth.options.build_options import ENGINES

EXAMPLE = "Example: dfsynth build --source nih --root /data/ChestX-ray14 --out nih-darkfield.zarr"


class BuildCommand(TyperCommand):
    """`--retry-failed` may stand alone, for all error codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See `TyperCommand`."""
        bare = "--retry-failed"
        return super().parse_args(ctx, [f"{bare}=all" if arg == bare else arg for arg in args])


def build(
    source: Annotated[
        str,
        typer.Option(
            help="A corpus name or TOML; a folder, of images or of archives; a tar, tar.gz or zip; "
            "Parquet, with images or paths; a CSV table; a pattern such as 'dir/**.dcm'; or - for "
            "paths on stdin.",
            autocompletion=complete_corpus,
        ),
    ],
    out: Annotated[Path, output_option("The store to write, for example x.zarr.")],
    root: Annotated[
        str | None, typer.Option(help="Where the images of a corpus, table or list lie.")
    ] = None,
    checkpoint: Annotated[
        str,
        typer.Option(
            help="A packaged checkpoint's name, or a checkpoint folder.",
            autocompletion=complete_checkpoint,
        ),
    ] = "default",
    size: Annotated[
        str | None, typer.Option(help="Grid: N or HxW. (default: the checkpoint's)")
    ] = None,
    mc_samples: Annotated[
        int,
        typer.Option(
            help="Samples an image, by dropout, members or noise, whichever the network has; time "
            "grows with them."
        ),
    ] = DEFAULT_MC_SAMPLES,
    mc: MonteCarlo = "full",
    sampler: Sampler = None,
    sampler_steps: SamplerSteps = None,
    guidance: Guidance = None,
    seed: Annotated[int, typer.Option(help="Of what samples draw: dropout masks or noise.")] = 0,
    batch_size: Annotated[str, typer.Option(help="Images a batch, or auto.")] = "auto",
    precision: Precision = "auto",
    device: Annotated[
        str,
        typer.Option(
            help="auto, cpu, cuda, cuda:I, or cuda:all: a process on every GPU of this machine.",
            autocompletion=one_of(("auto", "cpu", "cuda", ALL_GPUS)),
        ),
    ] = "auto",
    engine: Annotated[
        str,
        typer.Option(
            help="local, or ray: spread shards over the workers of a Ray cluster.",
            autocompletion=one_of(ENGINES),
        ),
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="HOST:PORT of the cluster's head, or local to start one here. "
            "(default: RAY_ADDRESS, else the cluster on this machine)"
        ),
    ] = None,
    ray_workers: Annotated[
        int | None,
        typer.Option(help="Workers. (default: one a GPU, or one a group of cores)"),
    ] = None,
    ray_cores: Annotated[
        int | None,
        typer.Option(help="Cores of a worker. (default: a GPU's share; without GPUs, up to 4)"),
    ] = None,
    shard_size: Annotated[
        str,
        typer.Option(help="Images a shard, the unit of commit; auto: some minutes of work."),
    ] = "auto",
    partition: Partition = None,
    shard: OldPartition = None,
    workers: Annotated[
        int | None, typer.Option(help="Decoding threads. (default: one a core)")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N inputs.")] = None,
    views: Views = None,
    maps: Annotated[
        str | None,
        typer.Option(
            help="What to store; also attenuation and lung, of CT single_rotation. "
            "(default: dark_field or what the task gives, aleatoric, epistemic)",
            autocompletion=complete_maps,
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float32-rounded (to 10 mantissa bits), float32 or float16. "
            "(default: the store's, and float32-rounded in a new one)",
            autocompletion=one_of(DTYPES),
        ),
    ] = None,
    max_pixels: MaxPixels = None,
    max_bytes: MaxBytes = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds that reading and decoding one image may take.")
    ] = None,
    extend: Annotated[
        bool,
        typer.Option("--extend", help="Take inputs that appeared since planning into new shards."),
    ] = False,
    retry_failed: Annotated[
        str | None,
        typer.Option(
            metavar="[=CODES]",
            help="Make failed rows anew: all, or those with these error codes.",
            autocompletion=some_of(ErrorCode),
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and estimate size and time; write nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if any image failed.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the store that is there and start anew.")
    ] = False,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn a corpus of chest X-rays into a store of synthetic dark-field images.

    Writes dark-field, aleatoric and epistemic maps and a manifest. Run the same command again to
    go on where it stopped.
    """
    with console_of(json, quiet, verbose, log=log) as console:
        options = BuildOptions.of(
            source=source,
            out=out,
            root=root,
            checkpoint=checkpoint,
            size=size,
            mc_samples=mc_samples,
            mc=mc,
            sampler=sampler,
            sampler_steps=sampler_steps,
            guidance=guidance,
            seed=seed,
            batch_size=batch_size,
            precision=precision,
            device=device,
            engine=engine,
            ray_address=ray_address,
            ray_workers=ray_workers,
            ray_cores=ray_cores,
            shard_size=shard_size,
            partition=console.renamed("--shard", shard, "--partition", partition),
            workers=workers,
            limit=limit,
            views=views,
            maps=maps,
            dtype=dtype,
            max_pixels=max_pixels,
            max_bytes=max_bytes,
            timeout_s=timeout,
            overwrite=overwrite,
            extend=extend,
            retry_failed=retry_failed,
        )
        if dry_run:
            _dry_run(options, console)
        else:
            _run(options, console, strict)


def _run(options: BuildOptions, console: Console, strict: bool) -> None:
    from dfsynth.cli.formats import failure_lines, format_counts, report_lines, require_some_made
    from dfsynth.cli.meters import job_progress
    from dfsynth.commands import build_store

    with soft_stop() as stop, job_progress(console.quiet) as progress:
        report = build_store(options, progress, stop.is_requested)
    lines = [
        f"{report.store}: {report.shards_done} of {counted(report.shards, 'shard')} done, "
        f"{counted(report.rows, 'input')}",
        *report_lines(report, "image"),
        *failure_lines(report),
    ]
    if report.excluded:
        lines.append("not taken as images: " + format_counts(report.excluded))
    console.result(report, "\n".join(lines))
    require_some_made(report, "image")
    if strict and report.failures:
        raise typer.Exit(ExitStatus.SOME_IMAGES_FAILED)


def _dry_run(options: BuildOptions, console: Console) -> None:
    from dfsynth.cli.formats import estimate_lines, format_counts, space_lines
    from dfsynth.devices import explain_precision, resolve_devices
    from dfsynth.jobs.build_remote import estimate_anywhere
    from dfsynth.jobs.checkpoint_generator import CheckpointMaker
    from dfsynth.jobs.disk_space import free_bytes

    found = estimate_anywhere(options, CheckpointMaker(options))
    does = f"would go on with {options.out}:" if found.planned else f"would make {options.out}:"
    lines = [
        f"{does} {counted(found.rows, 'row')} to write in {counted(found.shards, 'shard')} of "
        f"{found.shard_size}"
    ]
    if found.excluded:
        lines.append("not taken as images: " + format_counts(found.excluded))
    lines += found.warnings
    lines += estimate_lines(
        found.bytes_estimate,
        found.seconds_estimate,
        counted(found.trials, "image"),
        f"on this machine in {found.precision}",
    )
    device = resolve_devices(options.device)[0]
    lines.append(f"precision: {explain_precision(options.precision, device)}")
    if isinstance(options.out, Path):
        lines += space_lines(found.bytes_estimate, free_bytes(options.out))
    console.result(found, "\n".join(lines))
