"""Few pairs: the cascade against its baselines with 5, 10, 15, 20 and 29 patients to learn from.

    python training/paper_patients.py --pairs PAIRS --out runs/papers --counts 5 10

The patients of few are among those of many. Those who validate and calibrate come on top. Counts
that a task has no patients for are left out and named. Options are those of paper_table.py,
`--methods` and `--beside` among them.
"""

from paper_figures import draw_curves
from paper_methods import CASCADE, MEDGAN, PAN, PIX2PIX, UNET
from paper_report import Tests, tabulate_methods
from paper_runs import Study
from paper_work import (
    Job,
    add_methods,
    chosen_methods,
    collect,
    has_results,
    open_all,
    parser_of,
    work,
)
from shared_work import in_one_line

from dfsynth.errors import UsageError

COUNTS = (5, 10, 15, 20, 29)
USUAL = (CASCADE, PIX2PIX, PAN, MEDGAN, UNET)
"""The cascade and what its paper compares it with, beside a plain U-Net."""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="patients that train")
    add_methods(parser, USUAL)
    given = parser.parse_args()
    methods = chosen_methods(given)
    for place, study in open_all(given):
        counts = [count for count in given.counts if has_patients(study, count)]
        left = ", ".join(str(count) for count in given.counts if count not in counts)
        if left:
            print(f"{place.title}: too few patients in {given.folds} folds for {left}")
        # The whole curve on one fold comes before the next fold.
        folds = range(given.folds)
        jobs = [Job(m, fold, count) for fold in folds for count in counts for m in methods]
        work(place, jobs, given)
        found: dict[int, Tests] = {count: collect(study, methods, count) for count in counts}
        if not has_results(place, (t for tests in found.values() for t in tests.values())):
            continue
        for count, tests in found.items():
            heading = f"\n## {place.title}, {count} patients\n"
            print(heading, *tabulate_methods(tests, given.beside), sep="\n", flush=True)
        draw_curves(found, place.out / "patients.png", f"{place.title}: patients that train")


def has_patients(study: Study, count: int) -> bool:
    """Whether every fold has as many to train."""
    patients = [row.patient_id for row in study.learned.rows]
    try:
        for number in range(study.folds):
            study.fold(number, count).groups(patients)
    except UsageError:
        return False
    return True


if __name__ == "__main__":
    in_one_line(main)
