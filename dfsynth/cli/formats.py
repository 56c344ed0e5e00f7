"""Numbers and reports as people read them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dfsynth.counted_nouns import counted
from dfsynth.errors import DfsynthError
from dfsynth.threads.prefetch import INPUTS

if TYPE_CHECKING:
    from dfsynth.jobs.engine import RunReport
    from dfsynth.jobs.stages import StageUse


def format_seconds(seconds: float) -> str:
    """`42 s`, `12 min` or `3 h 05 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def format_bytes(size_bytes: float) -> str:
    """`3.4 GB` and the like, powers of ten."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"


def format_counts(counts: Mapping[str, int]) -> str:
    """`3 empty, 1 truncated`."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def report_lines(report: "RunReport", noun: str) -> list[str]:
    """What a run did, for people; `noun` names one of what it made."""
    lines = [
        f"this run: {counted(report.ok, noun)} written, {report.failed} failed, "
        f"{format_seconds(report.seconds)}"
    ]
    if report.elsewhere:
        lines.append(
            f"{counted(report.elsewhere, 'shard is', 'shards are')} in another process's hands; "
            "run the same command again should it not finish them"
        )
    if report.stages:
        lines.append(bottleneck_line(report.stages))
    return lines


def bottleneck_line(use: "StageUse") -> str:
    """What held a build up, how busy its stages were, and what to change."""
    busy = ", ".join(f"{stage} {share:.0%}" for stage, share in use.busy.items())
    return (
        f"slowest stage: {use.bottleneck}; {use.advice} (busy: {busy}; inputs were waited "
        f"for {use.waited[INPUTS]:.0%} of the time, with {use.ready:.1f} of {use.room} ready)"
    )


def failure_lines(report: "RunReport") -> list[str]:
    """How many rows of a store failed, in whichever run, and how to make them anew."""
    if not report.failures:
        return []
    return [
        f"{sum(report.failures.values())} of {counted(report.committed, 'image')} failed "
        f"({format_counts(report.failures)}); why: dfsynth info {report.store}; to try them once "
        "more: this command with --retry-failed"
    ]


def require_some_made(report: "RunReport", noun: str) -> None:
    """Requires that a run made something, or that an earlier one has.

    Raises:
        DfsynthError: every row failed.
    """
    if not report.nothing_made:
        return
    tried = report.failed or report.committed
    raise DfsynthError(
        f"0 of {counted(tried, noun)} could be made, found {format_counts(report.failures)} in "
        f"{report.store}; check the inputs (`dfsynth info {report.store}` names what failed), "
        "then run again"
    )


def estimate_lines(
    bytes_estimate: int | None, seconds_estimate: float | None, tried: str, where: str
) -> list[str]:
    """How large and how long a run would be; `tried` is what the estimate rests on."""
    if bytes_estimate is None or seconds_estimate is None:
        return [f"no size and time estimate: none of {tried} could be made"]
    return [
        f"about {format_bytes(bytes_estimate)} and {format_seconds(seconds_estimate)} {where} "
        f"(from {tried})"
    ]


def space_lines(bytes_estimate: int | None, free: int) -> list[str]:
    """How much room the disk has for a run of this size, in bytes, and a warning if too little."""
    room = f"free on the disk of the store: {format_bytes(free)}"
    if bytes_estimate is None or bytes_estimate <= free:
        return [room]
    return [f"warning: {room}, less than it would take; free space there or choose another --out"]
