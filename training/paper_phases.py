"""Phases 1 to 3: whether residual and sigma fall from stage to stage, as the papers show.

    python training/paper_phases.py --pairs PAIRS --out runs/papers --tasks mri-undersampled

The cascade is trained stage by stage, and as well with all stages together, by either of its
losses; each stage's image is measured. Options are those of paper_table.py.
"""

from paper_figures import draw_phases
from paper_methods import CASCADE, PROGRESSIVE, RISING
from paper_report import tabulate_stages
from paper_work import Job, collect, has_results, open_all, parser_of, work
from shared_work import in_one_line


def main() -> None:
    given = parser_of(__doc__).parse_args()
    methods = (PROGRESSIVE[0], CASCADE, RISING)
    for place, study in open_all(given):
        work(place, [Job(m, fold) for fold in range(given.folds) for m in methods], given)
        tests = {name: found for name, found in collect(study, methods).items() if found}
        if not has_results(place, tests.values()):
            continue
        print(f"\n## {place.title}\n", *tabulate_stages(tests), sep="\n", flush=True)
        draw_phases(tests, place.out / "phases.png", f"{place.title}: stages of the cascade")


if __name__ == "__main__":
    in_one_line(main)
