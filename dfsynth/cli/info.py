"""`dfsynth info`."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dfsynth.cli.console import console_of
from dfsynth.cli.hanging import wrapped_lines
from dfsynth.cli.options import JsonFlag, Quiet, StorePath, Verbose
from dfsynth.counted_nouns import counted

EXAMPLE = "Example: dfsynth info nih-darkfield.zarr --json"

_BETWEEN: Final[Mapping[str, str]] = {
    "grid_size": " × ",
    "dark_field_window": " to ",
    "intensity_percentiles": " to ",
    "intensity_range": " to ",
    "severity": " to ",
    "kvp": " to ",
}
"""How the numbers of a fact belong together; others stand in a list."""
_MOST_NAMED: Final = 3
"""Missing files that are named; a large store can lack tens of thousands, all of them in --json."""


def info(
    store: StorePath, json: JsonFlag = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Say what a store holds: counts by status, shards done, provenance, size on disk."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.cli.formats import format_bytes, format_counts
        from dfsynth.jobs.info import describe_store

        found = describe_store(store)
        status = found.status
        lines = [
            f"{found.store}: {found.shards_done} of {counted(found.shards, 'shard')} done, "
            f"{format_bytes(found.size_bytes)}",
            f"{counted(found.rows, 'row')}: {status['ok']} ok, {status['failed']} failed, "
            f"{status['pending']} pending",
        ]
        for title, counts in (
            ("failed", found.errors),
            ("flags", found.flags),
            ("origins", found.origins),
            ("splits", found.splits),
            ("not taken as images", found.excluded),
        ):
            if counts:
                lines.append(f"{title}: {format_counts(counts)}")
        if found.missing:
            lines.append(_missing_line(found.missing))
        lines += _provenance_lines(found.provenance)
        lines += _score_lines(found.scores)
        console.result(found, "\n".join(lines))


def _missing_line(files: Sequence[str]) -> str:
    """What is not there, and what to do."""
    named = ", ".join(files[:_MOST_NAMED])
    others = len(files) - _MOST_NAMED
    rest = f" and {others} more (--json names all)" if others > 0 else ""
    return f"missing: {named}{rest}; dfsynth verify --repair re-queues their shards"


def _provenance_lines(provenance: Mapping[str, object]) -> Iterator[str]:
    """What the store was made from; notice, citation and software fill more than a line."""
    columns = shutil.get_terminal_size().columns
    for name, value in provenance.items():
        fact = f"{name.replace('_', ' ')}: {_plain(value, _BETWEEN.get(name, ', '))}"
        yield from wrapped_lines(fact, columns)


def _score_lines(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A table of the scores' quantiles, to pick a threshold from."""
    if not scores:
        return []
    width = max(map(len, scores))
    names = next(iter(scores.values()))
    return [
        f"{'scores:':<{width + 2}}" + "".join(f"{name:>10}" for name in names),
        *(
            f"  {name:<{width}}" + "".join(f"{value:>10.4g}" for value in marks.values())
            for name, marks in scores.items()
        ),
    ]


def _plain(value: object, between: str = ", ") -> str:
    """A fact of the store's provenance, in one line for people."""
    if isinstance(value, Mapping):
        facts = dict(value)
        if facts and all(isinstance(fact, Mapping) for fact in facts.values()):
            return between.join(facts)
        named = [str(facts.pop("name"))] if "name" in facts else []
        if named and "sha256" in facts:
            named = [f"{named[0]} (sha256 {str(facts.pop('sha256'))[:12]}…)"]
        terms = [f"licence: {facts.pop('licence')}"] if facts.get("licence") else []
        others = [f"{name} {_plain(fact)}" for name, fact in facts.items() if fact]
        return ", ".join(named + terms + others)
    if value in ([], ()):
        return "none"
    if isinstance(value, list | tuple):
        return between.join(map(_plain, value))
    return str(value)
