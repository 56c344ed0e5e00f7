"""`dfsynth build`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.console import Console, console_of
from dfsynth.cli.options import (
    JsonFlag,
    MaxBytes,
    MaxPixels,
    MonteCarlo,
    OldPartition,
    Partition,
    Quiet,
    Verbose,
    Views,
)
from dfsynth.errors import ExitStatus
from dfsynth.options import DEFAULT_MAPS, DEFAULT_MC_SAMPLES, DEFAULT_SHARD_SIZE, BuildOptions

EXAMPLE = "Example: dfsynth build --source nih --root /data/ChestX-ray14 --out nih-darkfield.zarr"


def build(
    source: Annotated[
        str,
        typer.Option(
            help="A corpus name or TOML; a folder, of images or of archives; a tar, tar.gz or zip; "
            "Parquet, with images or paths; a CSV table; a pattern such as 'dir/**.dcm'; or - for "
            "paths on stdin."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The store to write, for example x.zarr.")],
    root: Annotated[
        Path | None, typer.Option(help="Where the images of a corpus, table or list lie.")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="A packaged checkpoint's name, or a checkpoint folder.")
    ] = "default",
    size: Annotated[
        str | None, typer.Option(help="Grid: N or HxW. (default: the checkpoint's)")
    ] = None,
    mc_samples: Annotated[
        int, typer.Option(help="Monte-Carlo dropout samples an image; time grows with them.")
    ] = DEFAULT_MC_SAMPLES,
    mc: MonteCarlo = "full",
    seed: Annotated[int, typer.Option(help="Of the dropout masks.")] = 0,
    batch_size: Annotated[str, typer.Option(help="Images a batch, or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:I.")] = "auto",
    shard_size: Annotated[
        int, typer.Option(help="Images a shard: the unit of commit and resume.")
    ] = DEFAULT_SHARD_SIZE,
    partition: Partition = None,
    shard: OldPartition = None,
    workers: Annotated[
        int | None, typer.Option(help="Decoding threads. (default: one a core)")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N inputs.")] = None,
    views: Views = None,
    maps: Annotated[str, typer.Option(help="What to store; also attenuation and lung.")] = ",".join(
        DEFAULT_MAPS
    ),
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float32-rounded (to 10 mantissa bits), float32 or float16. "
            "(default: the store's, and float32-rounded in a new one)"
        ),
    ] = None,
    max_pixels: MaxPixels = None,
    max_bytes: MaxBytes = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and estimate size and time; write nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if any image failed.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the store that is there and start anew.")
    ] = False,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn a corpus of chest X-rays into a store of synthetic dark-field images.

    Writes dark-field, aleatoric and epistemic maps and a manifest. Run the same command again to
    go on where it stopped.
    """
    with console_of(json, quiet, verbose) as console:
        options = BuildOptions.of(
            source=source,
            out=out,
            root=root,
            checkpoint=checkpoint,
            size=size,
            mc_samples=mc_samples,
            mc=mc,
            seed=seed,
            batch_size=batch_size,
            precision=precision,
            device=device,
            shard_size=shard_size,
            partition=console.renamed("--shard", shard, "--partition", partition),
            workers=workers,
            limit=limit,
            views=views,
            maps=maps,
            dtype=dtype,
            max_pixels=max_pixels,
            max_bytes=max_bytes,
            overwrite=overwrite,
        )
        if dry_run:
            _dry_run(options, console)
        else:
            _run(options, console, strict)


def _run(options: BuildOptions, console: Console, strict: bool) -> None:
    from dfsynth.api import build_store
    from dfsynth.cli.formats import format_counts, report_lines
    from dfsynth.cli.meters import job_progress
    from dfsynth.jobs.info import count_failed

    with job_progress(console.quiet) as progress:
        report = build_store(options, progress)
    lines = [
        f"{report.store}: {report.shards_done} of {report.shards} shards done, "
        f"{report.rows} inputs",
        *report_lines(report, "images"),
    ]
    if report.excluded:
        lines.append("not taken as images: " + format_counts(report.excluded))
    if report.failed:
        lines.append(f"see why inputs failed: dfsynth info {report.store}")
    console.result(report, "\n".join(lines))
    if strict and count_failed(options.out, options.partition):
        raise typer.Exit(ExitStatus.SOME_IMAGES_FAILED)


def _dry_run(options: BuildOptions, console: Console) -> None:
    from dfsynth.cli.formats import estimate_lines, format_counts
    from dfsynth.jobs.build_estimate import estimate_build
    from dfsynth.jobs.checkpoint_generator import CheckpointMaker

    found = estimate_build(options, CheckpointMaker(options))
    lines = [f"would write {found.rows} rows in {found.shards} shards to {options.out}"]
    if found.excluded:
        lines.append("not taken as images: " + format_counts(found.excluded))
    lines += found.warnings
    lines += estimate_lines(
        found.bytes_estimate,
        found.seconds_estimate,
        f"{found.trials} images",
        f"on this machine in {found.precision}",
    )
    console.result(found, "\n".join(lines))
