"""Methods × tasks, as the papers have it, with likelihood, coverage and time; may be killed.

    python training/paper_table.py --pairs PAIRS --out runs/papers
    python training/paper_table.py --pairs PAIRS --out runs/papers --tasks pet-ct --minutes 60
    python training/paper_table.py --pairs PAIRS --out runs/papers --minutes 0   # what there is
    python training/paper_table.py ... --as-long-as cascade  # equal time, not equal updates
    python training/paper_table.py ... --methods cascade "U-Net L1"  # these rows alone
    python training/paper_table.py ... --beside "cascade, rising likelihood"  # differences from it
    python training/paper_table.py ... --tasks mri-motion --residual 0.25  # from the input on
    python training/paper_table.py --pairs PAIRS-256 --out runs/papers-gpu --workers 1 --gpu

PAIRS/TASK.zarr are stores of `dfsynth simulate --task TASK`; `training/README.md` has the commands.
Figures are drawn into OUT/TASK; with a residual R all goes into OUT/TASK-residual-R.
"""

import statistics

from paper_figures import draw_risk
from paper_inputs import tabulate_inputs
from paper_methods import METHODS, Method
from paper_pictures import draw_pictures
from paper_report import tabulate_methods
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


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--as-long-as", choices=[m.name for m in METHODS if not m.single])
    add_methods(parser)
    given = parser.parse_args()
    methods = chosen_methods(given)
    for place, study in open_all(given):
        steps = {m.name: steps_of(study, m, given.as_long_as) for m in methods}
        jobs = [Job(m, fold, None, steps[m.name]) for fold in range(given.folds) for m in methods]
        work(place, jobs, given)
        tests = {m.name: collect(study, [m], None, steps[m.name])[m.name] for m in methods}
        if not has_results(place, tests.values()):
            continue
        equal, suffix = f"{study.budget.steps} updates", ""
        if given.as_long_as:
            equal, suffix = f"as long as {given.as_long_as}", "-equal-time"
        print(f"\n## {place.title}, {equal}\n")
        print(*tabulate_methods(tests, given.beside), "", sep="\n")
        beside = given.beside if tests.get(given.beside) else next(iter(tests))
        print(*tabulate_inputs(study, tests[beside], beside), sep="\n")
        print(", ".join(f"{name}: {count}" for name, count in steps.items()), "updates", flush=True)
        pictured = [m for m in methods if not m.single]
        draw_pictures(study, pictured, place.out / "pictures.png")
        draw_risk(tests, place.out / f"risk{suffix}.png", f"{place.title}: risk against coverage")


def steps_of(study: Study, method: Method, as_long_as: str | None) -> int:
    """Updates of a method: those of the budget, or as many as take the time of another's.

    By the processor time of the trainings at equal updates, which must have been done.
    """
    if as_long_as in (None, method.name) or method.single:
        return study.budget.steps
    reference = next(m for m in METHODS if m.name == as_long_as)
    ratio = _seconds(study, reference) / _seconds(study, method)
    return max(round(study.budget.steps * ratio), 1)


def _seconds(study: Study, method: Method) -> float:
    found = collect(study, [method])[method.name]
    if not found:
        raise SystemExit(f"{method.name} has no training at equal updates: run those first")
    return statistics.median(test.train_seconds for test in found)


if __name__ == "__main__":
    in_one_line(main)
