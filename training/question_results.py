"""Results of trainings as files that are there whole or not at all."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from question_guided import ChosenStrength, Levels, Strength

from dfsynth.files.durable import make_folder, write_durably

GUIDED: Final = "guided"
"""The name of slices that are smoothed along the attenuation."""


@dataclass(frozen=True, slots=True)
class SliceRow:
    """What was measured of one test slice."""

    key: str
    patient: str
    values: Mapping[str, float]
    """Figures by name; NaN where one is not defined."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one training reached on the test slices."""

    entry: str
    """The variant, or what the result is of, such as the truth itself."""
    seed: int
    made_with: Mapping[str, Any]
    """Settings, variant and data; results of others are not mixed in."""
    seconds: float
    loss: float
    """The last batch's."""
    restored: Mapping[str, Sequence[SliceRow]]
    """`once`; `averaged` over symmetries where that was asked for; and `guided`, that smoothed
    along the attenuation where the network sees it too."""
    doubt: Sequence[SliceRow]
    """Empty without uncertainty."""
    guidance: ChosenStrength | None = None
    """How strongly `guided` is smoothed; None without it."""


def result_path(folder: Path, entry: str, seed: int) -> Path:
    """Where the result of a training lies."""
    return folder / "results" / f"{entry.replace(' ', '-')}-seed-{seed}.json"


def keep_result(folder: Path, result: RunResult) -> None:
    """Writes a result durably."""
    target = result_path(folder, result.entry, result.seed)
    make_folder(target.parent)
    text = json.dumps(_plain(asdict(result)), indent=1, allow_nan=False)
    write_durably(target, text.encode() + b"\n", target.parent, "result")


def kept_result(
    folder: Path, entry: str, seed: int, made_with: Mapping[str, Any]
) -> RunResult | None:
    """The result of a training; None where it has not been made, or by an earlier script, which did
    not yet record all that it depends on now.

    Raises:
        SystemExit: it was made with other settings or data.
    """
    path = result_path(folder, entry, seed)
    if not path.exists():
        return None
    result, expected = read_result(path), _plain(made_with)
    if result.made_with == expected:
        return result
    if result.made_with.items() < expected.items():
        more = ", ".join(sorted(expected.keys() - result.made_with.keys()))
        print(f"{path} is of an earlier script and lacks its {more}; it is made anew", flush=True)
        return None
    raise SystemExit(
        f"{path} was made with other settings or slices:\n{result.made_with}\n"
        f"expected {expected}\ntake another --out, or the command that made it"
    )


def read_results(folder: Path) -> list[RunResult]:
    """All results in a folder, in the order of their names.

    Raises:
        SystemExit: there is none.
    """
    found = [read_result(path) for path in sorted((folder / "results").glob("*.json"))]
    if not found:
        raise SystemExit(f"{folder} holds no results; run the trainings first, with --data")
    return found


def read_result(path: Path) -> RunResult:
    """One result as it was kept.

    `guided` slices of earlier scripts are left out: their strength was chosen on the test slices.
    """
    held = json.loads(path.read_text(encoding="utf-8"))
    chosen = held.get("guidance")
    held["restored"] = {
        name: _rows(rows)
        for name, rows in held["restored"].items()
        if name != GUIDED or chosen is not None
    }
    held["doubt"] = _rows(held["doubt"])
    return RunResult(**held | {"guidance": chosen and _chosen(chosen)})


def _chosen(held: dict[str, Any]) -> ChosenStrength:
    levels = {name: Levels(**_numbers(held[name])) for name in ("reached", "unfiltered")}
    return ChosenStrength(**held | levels | {"strength": Strength(**held["strength"])})


def _rows(held: list[dict[str, Any]]) -> list[SliceRow]:
    return [SliceRow(row["key"], row["patient"], _numbers(row["values"])) for row in held]


def _numbers(held: dict[str, Any]) -> dict[str, float]:
    """NaN for what JSON has no number for."""
    return {k: math.nan if v is None else float(v) for k, v in held.items()}


def _plain(value: Any) -> Any:
    """As JSON has it: lists for tuples, null for what is no finite number."""
    if isinstance(value, Mapping):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
