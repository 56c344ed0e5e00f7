"""`dfsynth build`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.options import (
    Json,
    MaxBytes,
    MaxPixels,
    Quiet,
    Verbose,
    parse_batch_size,
    parse_names,
    parse_share,
    parse_size,
)
from dfsynth.cli.session import Session, session
from dfsynth.errors import ExitStatus
from dfsynth.options import DEFAULT_MAPS, DEFAULT_MC_SAMPLES, DEFAULT_SHARD_SIZE, BuildOptions

EXAMPLE = "Example: dfsynth build --source nih --root /data/ChestX-ray14 --out nih-darkfield.zarr"


def build(
    source: Annotated[
        str,
        typer.Option(help="A corpus name, corpus TOML, folder, tar, zip, or CSV/Parquet table."),
    ],
    out: Annotated[Path, typer.Option(help="The store to write, for example x.zarr.")],
    root: Annotated[Path | None, typer.Option(help="Where the corpus lies.")] = None,
    checkpoint: Annotated[
        str, typer.Option(help="A packaged checkpoint's name, or a checkpoint folder.")
    ] = "default",
    size: Annotated[
        str | None, typer.Option(help="Grid: N or HxW. (default: the checkpoint's)")
    ] = None,
    mc_samples: Annotated[
        int, typer.Option(help="Monte-Carlo dropout samples an image; time grows with them.")
    ] = DEFAULT_MC_SAMPLES,
    seed: Annotated[int, typer.Option(help="Of the dropout masks.")] = 0,
    batch_size: Annotated[str, typer.Option(help="Images a batch, or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:I.")] = "auto",
    shard_size: Annotated[
        int, typer.Option(help="Images a shard: the unit of commit and resume.")
    ] = DEFAULT_SHARD_SIZE,
    shard: Annotated[
        str | None,
        typer.Option(help="I/N: do every Nth shard only, from the I-th (0, 1, …), for job arrays."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Decoding threads. (default: one a core)")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N inputs.")] = None,
    maps: Annotated[str, typer.Option(help="What to store; also attenuation and lung.")] = ",".join(
        DEFAULT_MAPS
    ),
    dtype: Annotated[str, typer.Option(help="float16 or float32.")] = "float16",
    max_pixels: MaxPixels = None,
    max_bytes: MaxBytes = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and estimate size and time; write nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if any image failed.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the store that is there and start anew.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Turn a corpus of chest X-rays into a store of synthetic dark-field images.

    Writes dark-field, aleatoric and epistemic maps and a manifest. Run the same command again to
    go on where it stopped.
    """
    with session(json, quiet, verbose) as talk:
        options = BuildOptions(
            source=source,
            out=out,
            root=root,
            checkpoint=checkpoint,
            size=parse_size(size),
            mc_samples=mc_samples,
            seed=seed,
            batch_size=parse_batch_size(batch_size),
            precision=precision,
            device=device,
            shard_size=shard_size,
            share=parse_share(shard),
            workers=workers,
            limit=limit,
            maps=parse_names(maps),
            dtype=dtype,  # type: ignore[arg-type]  # checked by BuildOptions
            max_pixels=max_pixels,
            max_bytes=max_bytes,
            overwrite=overwrite,
        )
        if dry_run:
            _dry_run(options, talk)
        else:
            _run(options, talk, strict)


def _run(options: BuildOptions, talk: Session, strict: bool) -> None:
    from dfsynth.cli.progress import format_counts, report_lines, reporter
    from dfsynth.jobs.build import run_build
    from dfsynth.jobs.checkpoint_generator import CheckpointMaker
    from dfsynth.jobs.info import count_failed

    with reporter(talk.quiet) as progress:
        report = run_build(options, CheckpointMaker(options), progress)
    lines = [
        f"{report.store}: {report.shards_done} of {report.shards} shards done, "
        f"{report.rows} inputs",
        *report_lines(report, "images"),
    ]
    if report.excluded:
        lines.append("not taken as images: " + format_counts(report.excluded))
    if report.failed:
        lines.append(f"see why inputs failed: dfsynth info {report.store}")
    talk.result(report, "\n".join(lines))
    if strict and count_failed(options.out, options.share):
        raise typer.Exit(ExitStatus.SOME_IMAGES_FAILED)


def _dry_run(options: BuildOptions, talk: Session) -> None:
    from dfsynth.cli.progress import format_bytes, format_counts, format_seconds
    from dfsynth.jobs.build_estimate import estimate_build
    from dfsynth.jobs.checkpoint_generator import CheckpointMaker

    found = estimate_build(options, CheckpointMaker(options))
    lines = [f"would write {found.rows} rows in {found.shards} shards to {options.out}"]
    if found.excluded:
        lines.append("not taken as images: " + format_counts(found.excluded))
    lines += found.warnings
    if found.bytes_estimate is None or found.seconds_estimate is None:
        lines.append("no size and time estimate: the images tried could not be read")
    else:
        lines.append(
            f"about {format_bytes(found.bytes_estimate)} and "
            f"{format_seconds(found.seconds_estimate)} on this machine in {found.precision} "
            f"(from {found.trials} images)"
        )
    talk.result(found, "\n".join(lines))
