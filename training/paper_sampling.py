"""Quality against time: diffusion and flow with few and many passes and samples, and all others.

    python training/paper_sampling.py --pairs PAIRS --out runs/papers --tasks mri-undersampled

Takes the networks that paper_table.py has trained; options are those of it. Time is that of one
core. A method pays where no other is as good in less time: those stand on the drawn line.
"""

from kept_training import NotYetError
from paper_figures import draw_quality, write_figure
from paper_methods import DIFFUSION, FLOW, METHODS, Method
from paper_report import Setting, tabulate_quality
from paper_runs import FoldResult, Study
from paper_work import collect, has_results, open_all, parser_of
from shared_work import in_one_line

SETTINGS = {
    DIFFUSION.name: ((2, 2), (5, 2), (10, 2), (5, 4), (10, 4), (20, 4), (10, 8)),
    FLOW.name: ((1, 2), (2, 2), (4, 2), (2, 4), (4, 4), (4, 8), (10, 8)),
}
"""Passes a sample and samples an image, of which there are two at least: one has no spread."""
FOLD = 0


def main() -> None:
    given = parser_of(__doc__).parse_args()
    for place, study in open_all(given):
        found = {
            Setting(name): test
            for name, tests in collect(study, METHODS).items()
            for test in tests
            if name not in SETTINGS and test.fold.number == FOLD
        }
        for method in (DIFFUSION, FLOW):
            for steps, samples in SETTINGS[method.name]:
                test = sampled(study, method, steps, samples, make=bool(given.minutes))
                if test is not None:
                    found[Setting(method.name, steps, samples)] = test
        if not has_results(place, found.values()):
            continue
        print(f"\n## {place.title}, fold {FOLD}\n", *tabulate_quality(found), sep="\n", flush=True)
        figure = draw_quality(found, f"{place.title}: quality against the time of an image")
        write_figure(figure, place.out / "sampling.png")


def sampled(
    study: Study, method: Method, steps: int, samples: int, *, make: bool
) -> FoldResult | None:
    """None where it is not there, or another process is at it."""
    try:
        return study.sampled(method, study.fold(FOLD), steps, samples, make=make)
    except NotYetError:
        return None


if __name__ == "__main__":
    in_one_line(main)
