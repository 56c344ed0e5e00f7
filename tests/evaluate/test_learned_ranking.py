"""What a checkpoint's heads say is ranked as other scores are, and left out without heads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from drawn_networks import drawn_cascade

from dfsynth.inference import CascadeGenerator
from dfsynth.score import LEARNED_SCORES
from dfsynth.trust import Evidence, Learned


def knowing(evidence: Sequence[Evidence]) -> list[Learned]:
    """A judge for `DrawnPairs`, whose clean target is the radiograph: it knows the error."""
    found = []
    for each in evidence:
        image, made = each.image.astype(np.float64), each.dark_field.astype(np.float64)
        factor = max((image * made).sum() / np.square(made).sum(), 0)
        left = np.square(factor * made - image).sum() / np.square(image).sum()
        error = float(np.sqrt(left))
        scores = dict.fromkeys(LEARNED_SCORES, 0.5)
        scores |= {"predicted_error": error, "error_bound": error, "ood_score": -error}
        found.append(Learned(scores, ()))
    return found


def make(heads: Any) -> CascadeGenerator:
    """A drawn cascade whose signal is above 0, without lung output: no image lacks a lung."""
    return CascadeGenerator(
        [drawn_cascade(seed=1, lung_head=False)], torch.device("cpu"), "fp32", 3, 0, heads
    )


def test_every_learned_score_is_ranked(make_pairs: Any, evaluate: Any) -> None:
    """One that knows the error is the oracle; one that says the opposite is far from it."""
    pairs = make_pairs(content=(slice(2, 30), slice(0, 20)))
    ranked = evaluate(pairs, make(knowing)).scores.risk_coverage["shape"]
    assert set(LEARNED_SCORES) <= set(ranked)
    oracle = ranked["oracle"]
    for name in ("predicted_error", "error_bound"):
        assert ranked[name].curve == pytest.approx(oracle.curve, rel=1e-6)
        assert ranked[name].share_of_oracle_70.value == pytest.approx(1)
    assert ranked["ood_score"].area.value > ranked["random"].area.value > oracle.area.value


def test_without_heads_no_learned_score_is_ranked(make_pairs: Any, evaluate: Any) -> None:
    ranked = evaluate(make_pairs(), make(None)).scores.risk_coverage["shape"]
    assert not set(LEARNED_SCORES) & set(ranked)
    assert "epistemic_mean" in ranked
