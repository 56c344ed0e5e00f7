"""Ablation: what one stage of the cascade tells the next, trained together and stage by stage.

    python training/paper_guidance.py --pairs PAIRS --out runs/papers --tasks mri-undersampled

Each is compared with `attention` trained together, then those trained stage by stage among
themselves. Options are those of paper_table.py, whose cascade is taken over.
"""

from paper_methods import GUIDANCE, PROGRESSIVE
from paper_report import tabulate_differences, tabulate_methods
from paper_work import Job, collect, has_results, open_all, parser_of, work
from shared_work import in_one_line


def main() -> None:
    given = parser_of(__doc__).parse_args()
    methods = (*GUIDANCE, *PROGRESSIVE)
    for place, study in open_all(given):
        work(place, [Job(m, fold) for fold in range(given.folds) for m in methods], given)
        tests = collect(study, methods)
        if not has_results(place, tests.values()):
            continue
        print(f"\n## {place.title}\n", *tabulate_methods(tests, GUIDANCE[0].name), sep="\n")
        first, *others = (m.name for m in PROGRESSIVE)
        if tests[first]:
            found = {name: tests[name] for name in others if tests[name]}
            print("", *tabulate_differences(found, tests[first], first), sep="\n", flush=True)


if __name__ == "__main__":
    in_one_line(main)
