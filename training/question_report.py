"""The questions, and what trainings so far say of them, in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from question_comparison import REFERENCES, Comparison, Rows, compare, entries_of, resamples_of
from question_guided import GRID, MOST_BIAS, MOST_WIDENING, ChosenStrength
from question_results import GUIDED, RunResult, SliceRow
from question_uncertainty import REGIONS

from dfsynth.description.markdown import table
from dfsynth.statistics import Interval

BASELINE: Final = "plain"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the entries that answer it against the plain U-Net."""

    name: str
    """Of its figure."""
    title: str
    entries: tuple[str, ...]
    note: str
    """What must be known to read the table."""


QUESTIONS: Final = (
    Question(
        "targets",
        "Does training on streaky targets cost anything, and do their streaks average out?",
        ("truth targets", "second rotation"),
        "`plain` is trained on all rotations, `truth targets` on the truth, `second rotation` on "
        "one more rotation, as full of streaks as the input and independent of it.",
    ),
    Question(
        "oriented",
        "Do weights along streaks, or a loss in the sinogram, beat isotropic ones?",
        ("oriented", "own oriented", "sinogram", "filtered sinogram", "l1"),
        "`oriented` and `sinogram` are quadratic: with data and network enough they end where "
        "plain L2 ends.",
    ),
    Question(
        "dual-frame",
        "Does attenuation beside dark-field help?",
        ("dual", "dual, averaged", "dual truth", "truth targets"),
        "`dual` sees both reconstructions of the same rotation.",
    ),
    Question(
        "figure-to-reach",
        "What reaches 1.25 times the CNR of the plain U-Net, unbiased and as sharp?",
        (
            "plain, averaged",
            "truth targets",
            "truth targets, averaged",
            "dual truth",
            "dual truth, averaged",
            "dual, guided",
            "dual truth, guided",
            "gradient",
            "residual",
            "truth targets gradient",
            "flattened",
            "flattened truth targets",
            "flattened dual truth",
            "flattened dual truth, averaged",
            "flattened dual truth, guided",
            "flatter dual truth",
            "flatter dual truth, averaged",
            "flatter dual truth, guided",
            "flattened dual truth longer wider",
            "two stages",
            "longer",
            "wider",
            "truth targets longer wider",
            "truth targets longer wider, averaged",
            "dual truth longer wider",
            "dual truth longer wider, averaged",
            "dual truth longer wider, guided",
            "gennorm cascade",
            "gaussian cascade",
        ),
        "Lung is uneven, so the CNR of the truth is finite: an image above it has lost anatomy. "
        "`guided`: averaged, then smoothed wherever attenuation has no edge, as strongly as "
        "validation slices say (below).",
    ),
)
_HEAD: Final = (
    "entry",
    "seeds",
    "CNR",
    "over plain's",
    "over the truth's",
    "contrast to error, over plain's",
    "lung bias, %",
    "line-spread FWHM, mm",
    "over plain's",
    "lung RMSE, 1/m",
    "over plain's",
    "streaks left, (1/m)²",
    "reaches it",
)
_SCORES: Final = ("sigma", "aleatoric", "epistemic", "change", "value")
_FIGURES: Final = ("spearman", "share of oracle", "area")


def comparisons_of(question: Question, entries: Mapping[str, Rows]) -> list[Comparison]:
    """References, the baseline, and the entries of a question that have results."""
    if BASELINE not in entries:
        return []
    names = [n for n in (*REFERENCES, BASELINE, *question.entries) if n in entries]
    found = [compare(name, entries[name], entries[BASELINE]) for name in names]
    return [comparison for comparison in found if comparison is not None]


def report_questions(results: Sequence[RunResult]) -> str:
    """All tables; intervals are of 95 %, over test patients and seeds."""
    entries = entries_of(results)
    lines = [_coverage(results)]
    for question in QUESTIONS:
        lines += ["", f"## {question.title}", "", question.note, ""]
        missing = [name for name in (BASELINE, *question.entries) if name not in entries]
        found = comparisons_of(question, entries)
        lines += [table(_HEAD, map(_row, found)) if found else "No trainings yet."]
        if missing:
            lines += ["", f"Not trained yet: {', '.join(missing)}."]
    lines += ["", *_strength_lines(results), "", *_uncertainty_lines(results)]
    return "\n".join(lines)


def _coverage(results: Sequence[RunResult]) -> str:
    trained = [result for result in results if result.entry not in REFERENCES]
    rows = next(iter(results[0].restored.values()))
    patients = len({row.patient for row in rows})
    return f"{len(trained)} trainings; {len(rows)} test slices of {patients} patients."


def _row(found: Comparison) -> list[str]:
    bias = found.lung_bias
    percent = Interval(*(None if v is None else 100 * v for v in (bias.value, bias.low, bias.high)))
    reached = "" if found.name in (*REFERENCES, BASELINE) else ("yes" if found.reaches else "no")
    return [
        found.name,
        str(found.seeds),
        f"{found.cnr:.2f}",
        f"{found.cnr_ratio:.2f}",
        f"{found.of_truth_cnr:.2f}",
        f"{found.contrast_to_error_ratio:.2f}",
        f"{percent:.1f}",
        f"{found.fwhm_mm:.2f}",
        f"{found.fwhm_ratio:.2f}",
        f"{found.lung_rmse:.3f}",
        f"{found.lung_rmse_ratio:.2f}",
        f"{found.streak_power:.4f}",
        reached,
    ]


def _strength_lines(results: Sequence[RunResult]) -> list[str]:
    """What was chosen for each training whose slices are guided."""
    lines = [
        "## How strongly are slices smoothed along attenuation?",
        "",
        f"Chosen for each training on its validation slices alone, of {len(GRID)} strengths: the "
        f"highest CNR of those with a lung bias below {100 * MOST_BIAS:g} % and a line spread up "
        f"to {MOST_WIDENING:g} times that before the filter; without any, the least bias.",
        "",
    ]
    head = [
        *("entry", "seed", "radius, px", "least variance, (1/m)²", "slices", "CNR", "lung bias, %"),
        *("line-spread FWHM, mm", "before the filter", "within limits"),
    ]
    rows = [_strength_row(result, result.guidance) for result in results if result.guidance]
    return [*lines, table(head, rows) if rows else "No trainings yet."]


def _strength_row(result: RunResult, chosen: ChosenStrength) -> list[str]:
    return [
        f"{result.entry}, {GUIDED}",
        str(result.seed),
        str(chosen.strength.radius_px),
        f"{chosen.strength.least_variance:g}",
        str(chosen.slices),
        f"{chosen.reached.cnr:.2f}",
        f"{100 * chosen.reached.lung_bias:.1f}",
        f"{chosen.reached.fwhm_mm:.2f}",
        f"{chosen.unfiltered.fwhm_mm:.2f}",
        "yes" if chosen.within_limits else "no",
    ]


def uncertainty_entries(results: Sequence[RunResult]) -> dict[str, list[Sequence[SliceRow]]]:
    """Cascades with uncertainty: name → rows of each seed."""
    found: dict[str, list[Sequence[SliceRow]]] = {}
    for result in results:
        if result.doubt:
            found.setdefault(result.entry, []).append(result.doubt)
    return found


def mean_figure(seeds: Sequence[Sequence[SliceRow]], figure: str) -> Interval:
    """The mean of one figure over slices and seeds; undefined where no slice has it."""
    values = np.array(
        [[row.values.get(figure, np.nan) for row in rows] for rows in seeds], np.float64
    )
    return resamples_of(seeds[0], len(seeds)).mean(values.T.reshape(-1))


def _uncertainty_lines(results: Sequence[RunResult]) -> list[str]:
    lines = [
        "## Does the cascade's uncertainty say where streaks are left?",
        "",
        "Pixel by pixel against the absolute error, means over slices and seeds. `empty` is where "
        "the truth is 0: every error there is a streak or noise. `change` and `value` need no "
        "uncertainty: what the network changed, and what it made. `share of oracle`: of the error "
        "that leaves with the worst 30 % of the pixels. `area` under risk against coverage: 1 is "
        "chance.",
        "",
    ]
    head = ["cascade", "region", "score", "Spearman", "share of oracle", "area"]
    rows = [
        [
            name,
            region,
            score,
            *(f"{mean_figure(seeds, f'{region} {score} {f}'):.2f}" for f in _FIGURES),
        ]
        for name, seeds in uncertainty_entries(results).items()
        for region in REGIONS
        for score in _scores(seeds)
    ]
    return [*lines, table(head, rows) if rows else "No trainings yet."]


def _scores(seeds: Sequence[Sequence[SliceRow]]) -> list[str]:
    prefix, suffix = "view sigma of stage ", " spearman"
    stages = [
        name.removeprefix("view ").removesuffix(suffix)
        for name in seeds[0][0].values
        if name.startswith(prefix)
    ]
    return [*_SCORES, *stages, "oracle"]
