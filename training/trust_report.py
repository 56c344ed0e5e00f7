"""How well heads for trust do, from examples that nothing was fitted on."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.statistics import Interval, auroc, resample_patients, weighted_rank_correlation
from dfsynth.statistics.selective_risk import share_of_oracle
from dfsynth.train.heads import FRONTAL, HELD_OUT_SHIFTS, MAP_SCORES, Examples
from dfsynth.trust import TrustHeads

_KEPT = 0.7
Array = NDArray[np.float64]


def report(heads: TrustHeads, made: dict[str, Examples]) -> dict[str, Any]:
    """Ranking, bounds, out-of-distribution scores, and the agreement of `fast` with `full`."""
    both = Examples.joined([made["test"], made["left-out"]])
    return {
        "ranking": {
            "test": ranking(heads, made["test"]),
            "left_out_volume": ranking(heads, made["left-out"]),
            "both": ranking(heads, both),
            "both_held_out_kinds": ranking(heads, both.of(np.isin(both.kinds, HELD_OUT_SHIFTS))),
        },
        "bound_holds_by_kind": bounds_by_kind(heads, both),
        "out_of_distribution": detection(heads, made["archive"], made["ood"]),
        "out_of_distribution_fast": detection(heads, made["archive-fast"], made["ood-fast"]),
        "fast_agrees": agreement(heads, made),
    }


def said(heads: TrustHeads, examples: Examples) -> dict[str, Array]:
    """Every score of every example, NaN where it is null."""
    learned = heads.judge(heads.projection(examples.figures, examples.layout))
    maps = dict(zip(MAP_SCORES, examples.scores.T.astype(np.float64), strict=True))
    names = learned[0].scores
    return maps | {name: np.array([one.scores[name] for one in learned]) for name in names}


def ranking(heads: TrustHeads, examples: Examples) -> dict[str, Any]:
    """Scores against the error of shape, 95 % intervals over patients."""
    known = examples.of(np.isfinite(examples.targets[:, -1]))
    error = known.targets[:, -1].astype(np.float64)
    scores = said(heads, known)
    resamples = resample_patients([str(p) for p in known.patients], 0)
    found: dict[str, Any] = {
        "images": len(known),
        "patients": len(set(known.patients)),
        "median_error": float(np.median(error)),
    }
    for name in ("predicted_error", "ood_score", "uncertainty", "epistemic_mean"):
        values = np.nan_to_num(scores[name], nan=np.inf)
        found[name] = {
            "spearman": _plain(
                resamples.of_weights(partial(weighted_rank_correlation, values, error))
            ),
            "share_of_oracle_70": _plain(
                resamples.of_weights(partial(share_of_oracle, _KEPT, error, values))
            ),
        }
    holds = (error <= scores["error_bound"]).astype(np.float64)
    found["error_bound_holds"] = _plain(resamples.mean(holds))
    return found


def bounds_by_kind(heads: TrustHeads, examples: Examples) -> dict[str, dict[str, float]]:
    """The share of images of each kind of shift whose error the bound holds."""
    known = examples.of(np.isfinite(examples.targets[:, -1]))
    holds = known.targets[:, -1] <= said(heads, known)["error_bound"]
    return {
        str(kind): {
            "images": int((known.kinds == kind).sum()),
            "holds": float(holds[known.kinds == kind].mean()),
            "error": float(known.targets[known.kinds == kind, -1].mean()),
        }
        for kind in np.unique(known.kinds)
    }


def detection(heads: TrustHeads, archive: Examples, other: Examples) -> dict[str, Any]:
    """AUROC of the score of each kind of picture against an archive's frontal radiographs."""
    usual = archive.of(archive.kinds == FRONTAL)
    reference = said(heads, usual)["ood_score"]
    flags = heads.judge(heads.projection(usual.figures, usual.layout))
    found: dict[str, Any] = {
        "frontal": {
            "images": len(usual),
            "false_alarms": float((reference > 0).mean()),
            "flagged": {f: float(np.mean([f in one.flags for one in flags])) for f in heads.flags},
        }
    }
    for examples in (archive.of(archive.kinds != FRONTAL), other):
        for kind in np.unique(examples.kinds):
            chosen = examples.of(examples.kinds == kind)
            values = np.concatenate([reference, said(heads, chosen)["ood_score"]])
            judged = heads.judge(heads.projection(chosen.figures, chosen.layout))
            found[str(kind)] = {
                "images": len(chosen),
                "auroc": auroc(values, np.arange(len(values)) >= len(reference)),
                "above_0": float((values[len(reference) :] > 0).mean()),
                "flags": {
                    f: share
                    for f in heads.flags
                    if (share := float(np.mean([f in one.flags for one in judged])))
                },
            }
    return found


def agreement(heads: TrustHeads, made: dict[str, Examples]) -> dict[str, float]:
    """Spearman of each score between both modes, over the pictures of the archive and others."""
    found = {}
    full, fast = (
        said(heads, Examples.joined([made[f"archive{mode}"], made[f"ood{mode}"]]))
        for mode in ("", "-fast")
    )
    for name, values in full.items():
        known = np.isfinite(values) & np.isfinite(fast[name])
        weights = np.ones((1, int(known.sum())))
        if known.sum() > 2:
            [found[name]] = weighted_rank_correlation(
                values[known], fast[name][known], weights
            ).tolist()
    return found


def _plain(interval: Interval) -> dict[str, float | None]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}
