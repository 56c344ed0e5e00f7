"""The figures of an evaluation, as its JSON has them."""

from collections.abc import Mapping
from dataclasses import dataclass

from dfsynth.evaluate.calibration import Calibration
from dfsynth.evaluate.outside_lung import OutsideLungScores
from dfsynth.evaluate.prediction import LungOf
from dfsynth.records import SamplerSettings
from dfsynth.statistics import Interval


@dataclass(frozen=True, slots=True)
class Bin:
    """Pixels of one tenth, ordered by stated sigma."""

    stated: float
    """Root of the mean variance that the checkpoint states."""
    found: float
    """Root mean square error."""
    coverage: Mapping[str, Interval]
    """Level → share of the pixels that lie in their interval."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How one figure spreads over images: the percentiles `p05`, `p25`, `median`, `p75` and `p95`.

    All in the unit of the figure.
    """

    p05: float
    p25: float
    median: float
    p75: float
    p95: float


@dataclass(frozen=True, slots=True)
class TargetScores:
    """One stage, region and target; docs/evaluation.md says what each figure is."""

    mse: Interval
    mae: Interval
    psnr: Interval
    ssim: Interval
    pearson: Interval
    nll: Interval
    crps: Interval
    coverage: Interval
    """Of the 90 % interval."""
    coverage_50: Interval
    coverage_80: Interval
    coverage_95: Interval
    coverage_gap: Interval
    """How far the 90 % interval is off in fifths of an image by predicted value, as a share."""
    ence: Interval
    ause: Interval
    spearman: Interval
    """Between `uncertainty` of an image and its error, over images."""
    spearman_pixels: Interval
    """Between sigma and |error| of the pixels of an image, averaged over images."""
    deciles: tuple[Bin, ...]
    coverage_over_images: Mapping[str, Spread]
    """Level → the coverages of single images."""
    sparsification: tuple[float, ...]
    """Error left as the most uncertain 0, 5, … 95 % of the pixels go, over that of all."""
    best_sparsification: tuple[float, ...]
    """The same by the error itself."""


@dataclass(frozen=True, slots=True)
class RegionScores:
    """One stage and region."""

    noisy: TargetScores
    clean: TargetScores | None
    """Null where the clean target is not known."""
    oracle: TargetScores | None
    """Against the noisy target: what somebody reaches who knows all but the noise."""


@dataclass(frozen=True, slots=True)
class StageScores:
    """One stage of the cascade."""

    stage: int
    """From 1; the last is what a build stores."""
    whole: RegionScores
    lung: RegionScores | None
    """Null where no image has a lung to measure."""


@dataclass(frozen=True, slots=True)
class RankedRisk:
    """How one error falls as the images go that one score likes least.

    `dfsynth.statistics.selective_risk` says what each figure is; images are drawn by patient.
    """

    images: int
    """Whose error is known."""
    area: Interval
    """Under the curve of risk against coverage, in the unit of the error."""
    excess_area: Interval
    """Of which an oracle would have nothing."""
    share_of_oracle_70: Interval
    """What goes of the mean error as the best 70 % are kept, over what an oracle takes away."""
    spearman: Interval
    """Between score and error; 1 where the score ranks as an oracle does."""
    curve: tuple[float, ...]
    """Mean error of the best 5, 10, … 100 % of the images."""


@dataclass(frozen=True, slots=True)
class OutOfDistributionCounts:
    """How many images of --ood there were."""

    images: int
    failed: int
    """Could not be read."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of an evaluation, and what they are of."""

    notice: str
    checkpoint: str
    checkpoint_sha256: str
    data: str
    data_fingerprint: str
    split: str
    images: int
    patients: int
    lung_of: LungOf
    """Where the outline of the lung comes from."""
    window: tuple[float, float]
    """Its width is the data range of PSNR and SSIM."""
    mc_samples: int
    sampling: SamplerSettings | None
    """How samples were drawn out of noise; null of a checkpoint that draws none."""
    seed: int
    device: str
    precision: str
    calibration: Calibration
    stages: tuple[StageScores, ...]
    outside_lung: OutsideLungScores | None
    """Null where no image has a lung."""
    ood_auroc: Mapping[str, Interval] | None
    """Manifest column → AUROC; null without --ood."""
    ood: OutOfDistributionCounts | None
    risk_coverage: Mapping[str, Mapping[str, RankedRisk]] | None
    """Error (shape, lung_mae) → score, or random or oracle; null without a clean target."""
    warnings: tuple[str, ...]
