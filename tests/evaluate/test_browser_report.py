"""The browser report of an evaluation's folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_pages import Page, pages
from report_stores import facts_of

import dfsynth
from dfsynth.errors import StoreError
from dfsynth.evaluate import write_report


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    yield from pages()


@pytest.fixture
def folder(tmp_path, evaluate, make_pairs) -> Path:
    out = tmp_path / "evaluation"
    write_report(evaluate(make_pairs(), split="all"), out)
    return out


def test_the_page_has_the_figures_of_the_evaluation(run_cli, folder, tmp_path):
    status, printed, _ = run_cli("report", folder, "--out", tmp_path / "report", "--json", "-q")
    assert status == 0
    assert json.loads(printed)["kind"] == "evaluation"
    metrics = json.loads((folder / "metrics.json").read_text())
    facts = facts_of(tmp_path / "report")
    assert len(facts["stages"]) == len(metrics["stages"])
    last = metrics["stages"][-1]["whole"]["noisy"]
    assert facts["stages"][-1]["regions"]["whole"]["noisy"]["figures"]["mae"] == last["mae"]
    assert facts["risk"].keys() == (metrics["risk_coverage"] or {}).keys()
    assert len(facts["cases"]["lines"]) == metrics["images"]


def test_patients_stay_out(folder, tmp_path):
    keys = (folder / "images.csv").read_text().splitlines()[1].split(",")[:2]
    dfsynth.write_report(folder, out=tmp_path / "report")
    text = (tmp_path / "report/data/facts.js").read_text()
    assert keys[0] in text
    assert f'"{keys[1]}"' not in text


@pytest.mark.parametrize("damage", ["{", "{}", '{"stages": []}'])
def test_a_damaged_evaluation_is_named(folder, tmp_path, damage):
    (folder / "metrics.json").write_text(damage)
    with pytest.raises(StoreError, match="evaluate again"):
        dfsynth.write_report(folder, out=tmp_path / "report")
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("target", ["noisy", "whole"])
def test_an_evaluation_whose_figures_are_gone_is_named(folder, tmp_path, target):
    metrics = json.loads((folder / "metrics.json").read_text())
    last = metrics["stages"][-1]
    if target == "noisy":
        last["whole"] |= {"noisy": None, "clean": None}
        last["lung"] = None
    else:
        last["whole"]["noisy"]["mae"]["value"] = float("nan")
    (folder / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(StoreError, match="evaluate again"):
        dfsynth.write_report(folder, out=tmp_path / "report")


def test_a_table_of_images_that_is_no_table_is_named(folder, tmp_path):
    with (folder / "images.csv").open("a") as stream:
        stream.write("x" * 200_000)
    with pytest.raises(StoreError, match="evaluate again"):
        dfsynth.write_report(folder, out=tmp_path / "report")


def test_the_page_draws_without_a_word(page: Page, folder, tmp_path):
    dfsynth.write_report(folder, out=tmp_path / "report")
    dfsynth.write_report(folder, out=tmp_path / "bare")
    (folder / "images.csv").unlink()
    dfsynth.write_report(folder, out=tmp_path / "bare")
    for name in ("report", "bare"):
        page.open(tmp_path / name)
        page.wait(lambda: page.all("#stage-rows tr"))
        assert page.all("#reliability-chart canvas")
        assert page.messages() == []
    page.open(tmp_path / "report")
    assert page.all("#case-rows tr")
    worst = [float(cell.text) for cell in page.all("#case-rows td:nth-of-type(1)")]
    assert worst == sorted(worst, reverse=True)
