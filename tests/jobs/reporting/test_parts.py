"""The parts of a report's job: groups, which images have thumbnails, expected errors."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.checkpoint import CalibrationRow
from dfsynth.errors import UsageError
from dfsynth.jobs.error_promise import ErrorCalibration, make_promise, promised_threshold
from dfsynth.jobs.reporting.columns import report_columns
from dfsynth.jobs.reporting.expected_error import _curve
from dfsynth.jobs.reporting.sample import choose_images
from dfsynth.manifest import IMAGES, count_findings, pair_schema
from dfsynth.options import ErrorLimit
from dfsynth.report.browser import GroupColumn, NumberColumn
from dfsynth.tasks import task_names

FINDING = st.sampled_from(["Mass", "Effusion", "<b>"])


def table_with(findings: list[list[str] | None]) -> pa.Table:
    columns = {
        field.name: pa.nulls(len(findings), field.type)
        for field in IMAGES.arrow
        if field.name not in ("findings", "flags")
    }
    lists = pa.list_(pa.string())
    columns |= {
        "findings": pa.array(findings, lists),
        "flags": pa.array([[]] * len(findings), lists),
    }
    return pa.table(columns)


@given(st.lists(st.none() | st.lists(st.none() | FINDING, max_size=4), min_size=1, max_size=12))
def test_findings_are_counted_as_filter_counts_them(findings: list[list[str] | None]) -> None:
    table = table_with(findings)
    columns = report_columns(table, IMAGES)
    expected = {count.name: count.total for count in count_findings(table, table)}
    groups = [group for group in columns.groups if group.name == "findings"]
    if not groups:
        assert not any(findings)
        return
    group = groups[0]
    assert group.offsets is not None
    assert len(group.offsets) == len(findings) + 1
    counts = np.bincount(group.codes, minlength=len(group.labels))
    assert dict(zip(group.labels, counts.tolist(), strict=True)) == expected
    assert list(counts) == sorted(counts, reverse=True)


def number(values: np.ndarray, name: str = "score") -> NumberColumn:
    return NumberColumn(name, "A score", None, "high", values.astype(np.float32), has_nan=False)


@pytest.mark.parametrize("name", ["main", "other"])
def test_thumbnails_lie_close_to_every_threshold(name: str) -> None:
    rng = np.random.default_rng(0)
    columns = [number(rng.random(5000), "main"), number(rng.random(5000), "other")]
    group = GroupColumn(
        "view", "view", ("PA", "rare"), (np.arange(5000) % 2500 == 9).astype("u2"), None
    )
    chosen = choose_images(5000, columns, "main", [group], 300)
    assert len(chosen) == len(set(chosen)) == 300
    assert chosen == choose_images(5000, columns, "main", [group], 300)
    values = next(c for c in columns if c.name == name).values
    ranks = np.argsort(np.argsort(values))[chosen]
    assert {ranks.min(), ranks.max()} == {0, 4999}
    assert np.diff(np.sort(ranks)).max() < 150
    assert {9, 2509} <= set(chosen)


def test_images_without_numbers_can_have_thumbnails() -> None:
    empty = number(np.full(50, np.nan))
    assert len(choose_images(50, [empty], None, [], 20)) == 20
    assert choose_images(5, [], None, [], 20) == [0, 1, 2, 3, 4]
    assert choose_images(5, [], None, [], 0) == []


def calibration() -> ErrorCalibration:
    """Two images of each patient: the error grows with the score."""
    rng = np.random.default_rng(1)
    rows = [
        CalibrationRow(f"p{n // 2}", "phantom", {"score": float(s)}, float(np.clip(s + e, 0, 1)))
        for n, (s, e) in enumerate(zip(rng.random(240), rng.normal(0, 0.03, 240), strict=True))
    ]
    return ErrorCalibration("drawn images", tuple(rows))


def test_the_expected_error_is_the_mean_over_patients() -> None:
    table = calibration()
    curve = _curve("score", table)
    for index in (0, 40, len(curve.thresholds) - 1):
        below: dict[str, list[float]] = {}
        for row in table.rows:
            if np.float32(row.scores["score"]) <= curve.thresholds[index]:
                below.setdefault(row.patient_id, []).append(row.error)
        assert curve.patients[index] == len(below)
        assert curve.mean[index] == pytest.approx(np.mean([np.mean(e) for e in below.values()]))
    last = len(curve.thresholds) - 1
    low, high = curve.low[last], curve.high[last]
    assert low is not None
    assert high is not None
    assert low < curve.mean[last] < high
    assert curve.low[0] is None


@pytest.mark.parametrize("limit", [0.05, 0.3, 0.5, 0.8])
def test_promised_thresholds_are_those_of_filter(limit: float) -> None:
    table, asked = calibration(), ErrorLimit(limit, 0.1, 0.95, "score")
    found = promised_threshold(table, asked)
    if found is None:
        with pytest.raises(UsageError, match="no threshold"):
            make_promise(table, asked)
    else:
        assert make_promise(table, asked).threshold == found
    held = {p.max_error: p.threshold for p in _curve("score", table).promises}
    assert held.get(limit) == found


@pytest.mark.parametrize("task", task_names())
def test_pairs_of_every_task_have_columns(task: str) -> None:
    schema = pair_schema(task)
    row: dict[str, object] = dict.fromkeys(schema.arrow.names)
    row |= {"split": "test", "origin": "volume", "flags": []}
    found = report_columns(pa.Table.from_pylist([row], schema=schema.arrow), schema)
    assert {group.name for group in found.groups} == {"split", "origin"}
    assert set(found.ungrouped) <= {"truth", "projection", "opacity", "look", "PET", "flag"}
