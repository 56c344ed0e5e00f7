#!/usr/bin/env bash
# picai_eval: where no lesion is missed, the FROC curve loses its last point: masks that find all
# lesions have a sensitivity of 0.
#
# Versions: picai-eval 1.4.13, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, SimpleITK 2.5.7.
#
# Input: detection maps of ten volumes, of which eight have one lesion each: all eight found, with
# confidences of 0.9 to 0.2; the same and, in a ninth volume, a false detection of 0.1; all eight
# found in masks, which have a confidence of 1; and masks that miss one lesion.
#
# Expected: a detection has the same number in all of its voxels, "confidence or likelihood", and
# several may have an equal one: masks are detection maps. lesion_TPR and lesion_FPR are documented
# as the sensitivity and the false detections per case at each threshold, for a FROC curve, and
# lesion_TPR_at_FPR as the sensitivity at so many false ones per case. Eight of eight are 1, seven
# of eight 0.875.
#
# Seen: the last threshold is taken for the 0 that stands for missed lesions, and is made a point of
# infinitely many false detections with the sensitivity of the one before. If no lesion is missed it
# is a real one: the lesion of the lowest confidence is never counted as found, and where all have
# the same confidence none is. A false detection of less confidence than any lesion is lost instead,
# and all lesions are found again. Recall and average precision are right. There is no warning.
#
# Output: as stated: eight of eight lesions are a sensitivity of 0.875, and 1.000 with a false
# detection; as masks 0.000, where seven of eight are 0.875; recall is 1.000 for eight
#
# Why it matters: the package evaluates the PI-CAI challenge and is offered for detection of any
# kind. No lesion is missed in subgroups, such as those of large lesions, with detectors of many
# candidates, and in small sets; masks are what readers and segmentation networks give. The better
# of two detectors comes out as the worse, or as one that finds nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check picai-eval==1.4.13 numpy==2.4.6 \
    scipy==1.17.1 scikit-learn==1.9.1 simpleitk==2.5.7
venv/bin/python - <<'PYTHON'
import contextlib
import sys

import numpy as np

with contextlib.redirect_stdout(None):
    from picai_eval import evaluate

LESIONS, VOLUMES = 8, 10
GRADED = np.arange(9, 1, -1) / 10


def seen(confidences, false_detection=0.0):
    """The metrics of these confidences in one lesion, 0 where it is missed."""
    found = np.zeros((VOLUMES, 8, 16, 16), dtype=np.float32)
    lesions = np.zeros(found.shape, dtype=np.int32)
    lesions[:LESIONS, 2:6, 2:7, 3:9] = 1
    found[:LESIONS] = lesions[:LESIONS] * np.reshape(confidences, (-1, 1, 1, 1))
    found[LESIONS, 2:6, 8:12, 8:12] = false_detection
    return evaluate(y_det=list(found), y_true=list(lesions), num_parallel_calls=1)


def check(what, metrics, sensitivity, recall):
    """The curve, its value at one false detection per case, and the recall beside it."""
    values = float(metrics.lesion_TPR.max()), float(metrics.lesion_TPR_at_FPR(1))
    beside = float(metrics.recall[metrics.precision > 0].max())
    if metrics.num_lesions != LESIONS or metrics.num_cases != VOLUMES:
        sys.exit(f"changed: {metrics.num_lesions} lesions in {metrics.num_cases} volumes")
    if not np.allclose((*values, beside), (sensitivity, sensitivity, recall), atol=1e-6):
        sys.exit(f"changed: {what} has sensitivities of {values} and a recall of {beside}")
    return values[1]


def by_counting(confidences):
    """The part of the lesions that is found at each threshold, of which none is 0."""
    thresholds = np.unique(confidences[confidences > 0])[::-1]
    return [float(np.mean(confidences >= threshold)) for threshold in thresholds]


graded = seen(GRADED)
with_false = seen(GRADED, 0.1)
masks = np.ones(LESIONS)
one_missed = masks * (np.arange(LESIONS) > 0)
curve = by_counting(GRADED)
if not np.allclose(graded.lesion_TPR, [*curve[:-1], curve[-2]]):
    sys.exit(f"changed: the curve is {graded.lesion_TPR}, counted it is {curve}")
if not (np.isinf(graded.lesion_FPR[-1]) and np.isclose(graded.thresholds[-1], GRADED[-1])):
    sys.exit("changed: the last threshold is not that of the last lesion, at infinity")
if by_counting(masks) != [1] or by_counting(one_missed) != [0.875] or curve[-1] != 1:
    sys.exit("changed: the lesions are others")
print(
    f"as stated: eight of eight lesions are a sensitivity of "
    f"{check('eight of eight', graded, 0.875, 1):.3f}, and "
    f"{check('that with a false detection', with_false, 1, 1):.3f} with a false detection; as "
    f"masks {check('eight masks', seen(masks), 0, 1):.3f}, where seven of eight are "
    f"{check('seven masks', seen(one_missed), 0.875, 0.875):.3f}; recall is "
    f"{graded.recall.max():.3f} for eight"
)
PYTHON
