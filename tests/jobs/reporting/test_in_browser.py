"""Reports in a real browser: what the slider keeps, keyboard, silence, images."""

import json
import shlex
import shutil
from typing import Any

import numpy as np
import pytest
from report_stores import ESCAPE, FINISHED, MARKUP, WITHOUT_LUNG, UnsureMaker
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

import dfsynth
from dfsynth.checkpoint import checkpoint_path, read_checkpoint


def shell(page, run_cli, monkeypatch, store) -> dict[str, Any]:
    """What the command that the page shows gives, where the store lies."""
    words = shlex.split(page.text("#shell"))
    assert words[0] == "dfsynth"
    monkeypatch.chdir(store.parent)
    out = words.index("--out")
    status, printed, err = run_cli(*words[1:out], "--json", "-q")
    assert status == 0, err
    return json.loads(printed)


@pytest.mark.parametrize(
    ("column", "step", "direction"),
    [
        ("uncertainty", 0, "low"),
        ("uncertainty", 37, "low"),
        ("uncertainty", 100, "low"),
        ("dark_field_mean", 50, "high"),
        ("epistemic_mean", 62, "low"),
        ("lung_fraction", 20, "high"),
    ],
)
def test_the_slider_keeps_what_filter_keeps(
    page, report, store, run_cli, monkeypatch, column, step, direction
):
    page.open(report).choose(column, step, direction)
    found = shell(page, run_cli, monkeypatch, store)
    assert page.kept() == (found["kept"], found["total"])
    shown = {
        line.find_element(By.TAG_NAME, "th").text: tuple(
            int(cell.text) for cell in line.find_elements(By.TAG_NAME, "td")[:2]
        )
        for line in page.all("#group-panel tbody tr")
    }
    assert shown == {f["name"]: (f["total"], f["kept"]) for f in found["findings"]}


def test_the_python_that_is_shown_keeps_the_same(page, report, store, monkeypatch):
    page.open(report).choose("uncertainty", 40)
    monkeypatch.chdir(store.parent)
    names: dict[str, Any] = {}
    exec(page.text("#python"), names)
    kept = names["kept"]
    assert page.kept() == (kept.kept, kept.total)


def test_images_without_lung_pass_only_when_asked(page, report, store, run_cli, monkeypatch):
    page.open(report).choose("aleatoric_mean", 100)
    without = page.kept()[0]
    assert without == shell(page, run_cli, monkeypatch, store)["kept"] == FINISHED - WITHOUT_LUNG
    page.find("#no-lung").click()
    page.settle()
    assert page.kept()[0] == shell(page, run_cli, monkeypatch, store)["kept"] == FINISHED


def test_a_typed_value_and_a_typed_share_move_the_threshold(
    page, report, store, run_cli, monkeypatch
):
    page.open(report).choose("uncertainty", 10)
    for selector, typed in (("#value", "0.0612345"), ("#share", "50")):
        field = page.find(selector)
        field.clear()
        field.send_keys(typed, Keys.ENTER)
        page.settle()
        found = shell(page, run_cli, monkeypatch, store)
        assert page.kept() == (found["kept"], found["total"])
    assert page.kept()[0] >= FINISHED / 2


def test_a_handle_is_dragged_in_any_distribution(page, report, store, run_cli, monkeypatch):
    page.open(report).choose("uncertainty", 50)
    figure = page.all(".multiple")[2]
    page.script("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", figure)
    over = figure.find_element(By.CSS_SELECTOR, ".u-over")
    hand = ActionChains(page.driver)
    hand.move_to_element(over).click_and_hold().move_by_offset(30, 0).release().perform()
    page.settle()
    name = figure.find_element(By.CSS_SELECTOR, ".multiple-name").text
    assert page.text("#shell").split('"')[1].startswith(f"{name} ")
    assert "active" in figure.get_attribute("class")
    found = shell(page, run_cli, monkeypatch, store)
    assert page.kept() == (found["kept"], found["total"])


def test_all_is_reached_by_the_keyboard(page, report):
    page.open(report).choose("uncertainty", 50)
    before = page.text("#shell")
    page.find("#slider").send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.text("#shell") != before
    assert "keeps" in page.find("#slider").get_attribute("aria-valuetext")
    first = page.find("#gallery-tabs [aria-selected=true]")
    first.send_keys(Keys.ARROW_RIGHT)
    assert page.find("#gallery-tabs [aria-selected=true]").text.lower() == "kept"
    assert page.driver.switch_to.active_element == page.find("#gallery-tabs [aria-selected=true]")
    page.find(".card").send_keys(Keys.ENTER)
    canvas = page.wait(lambda: page.all("#viewer-maps canvas[tabindex]"))[0]
    canvas.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert page.text("#viewer-place").startswith("Column ")
    page.find("#viewer-next").send_keys(Keys.ENTER)
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.find("#viewer").is_displayed()
    assert page.driver.switch_to.active_element == page.find(".card")


def test_values_under_the_pointer_are_those_of_the_store(page, report, store):
    opened = dfsynth.open_store(store)
    page.open(report)
    page.settle()
    page.find(".card").click()
    page.wait(lambda: page.all("#viewer-maps canvas[tabindex]"))
    name = page.text("#viewer-name")
    canvas = page.all("#viewer-maps canvas[tabindex]")[1]
    canvas.send_keys(*[Keys.ARROW_RIGHT] * 3, Keys.ARROW_UP)
    place = page.text("#viewer-place")
    column, row = (int(word.strip(",:").split()[0]) for word in place.split(" ")[1:4:2])
    line = next(x for x in opened.manifest.to_pylist() if x["image_id"] == name)
    maps = {n: opened.read(n, line["row"]).astype(np.float64) for n in opened.maps}
    at = row + int(line["offset_y"]), column + int(line["offset_x"])
    uncertainty = np.hypot(maps["aleatoric"][at], maps["epistemic"][at])
    expected = [maps["attenuation"][at], maps["dark_field"][at], uncertainty]
    found = [float(element.text) for element in page.all("#viewer-maps .readout")]
    content = {n: values[np.isfinite(values)] for n, values in maps.items()}
    steps = [np.ptp(content["attenuation"]) / 126, np.ptp(content["dark_field"]) / 254, 0.1 / 254]
    for value, truth, step in zip(found, expected, steps, strict=True):
        # Four digits are shown.
        assert value == pytest.approx(truth, abs=0.51 * step, rel=1e-3)


def test_galleries_hold_what_they_are_called(page, report):
    page.open(report).choose("uncertainty", 50)
    for index, (kind, states) in enumerate(
        {"borderline": {"kept", "dropped"}, "kept": {"kept"}, "dropped": {"dropped"}}.items()
    ):
        tab = page.find(f"#gallery-tabs-{index}")
        page.script("arguments[0].click()", tab)
        assert page.text(f"#gallery-tabs-{index}").lower() == kind
        values = [page_value.text.split(" · ") for page_value in page.all(".card-value")]
        assert {state for _, state in values} == states
        assert page.wait(
            lambda: page.script(
                "return [...document.querySelectorAll('.card img')].some((i) => i.naturalWidth)"
            )
        )


def test_a_promise_keeps_what_filter_promises(page, make_store, run_cli, monkeypatch, tmp_path):
    packaged = read_checkpoint(checkpoint_path("default"))
    store = make_store(
        maker=UnsureMaker(sha256=packaged.sha256, learned={}),
        size=packaged.card.grid,
        maps=("dark_field",),
    )
    out = tmp_path / "report"
    dfsynth.write_report(store, out=out, thumbnails=0)
    page.open(out).choose("predicted_error", 50)
    assert "patients" in page.text("#expected")
    page.find("#no-lung").click()
    page.script("document.getElementById('promise-use').click()")
    page.settle()
    assert "--max-error" in page.text("#shell")
    assert not page.find("#no-lung").is_selected()
    found = shell(page, run_cli, monkeypatch, store)
    assert page.kept() == (found["kept"], found["total"])
    assert 0 < found["kept"] < FINISHED - WITHOUT_LUNG
    threshold = found["promise"]["threshold"]
    assert float(page.find("#value").get_property("value")) == pytest.approx(threshold, rel=1e-7)


def test_a_promise_names_the_checkpoint_that_the_report_was_given(
    page, make_store, run_cli, monkeypatch, tmp_path
):
    """One that is not packaged, and that `dfsynth filter` so has to be told too."""
    folder = checkpoint_path("default")
    packaged = read_checkpoint(folder)
    store = make_store(
        maker=UnsureMaker(sha256=packaged.sha256, learned={}),
        size=packaged.card.grid,
        maps=("dark_field",),
    )
    given = store.parent / "my own"
    shutil.copytree(folder, given)
    monkeypatch.setattr("dfsynth.jobs.store_checkpoint.packaged_generators", list)
    out = tmp_path / "report"
    dfsynth.write_report(store, out=out, thumbnails=0, checkpoint=str(given))
    page.open(out).choose("predicted_error", 50)
    page.script("document.getElementById('promise-use').click()")
    page.settle()
    found = shell(page, run_cli, monkeypatch, store)
    assert page.kept() == (found["kept"], found["total"])
    names: dict[str, Any] = {}
    exec(page.text("#python"), names)
    assert names["kept"].kept == found["kept"]


def test_markup_and_escapes_are_shown_and_not_obeyed(page, make_store, tmp_path):
    store = make_store(findings=(MARKUP, ESCAPE, "Mass"))
    out = tmp_path / "report"
    dfsynth.write_report(store, out=out)
    page.open(out).choose("uncertainty", 50)
    names = [cell.text for cell in page.all("#group-panel tbody th")]
    assert MARKUP in names
    assert "red\\u001b[31m\\u202egnp" in names
    assert page.all("img[onerror]") == []
    assert page.messages() == []
    assert b"\x1b" not in b"".join(p.read_bytes() for p in out.glob("*.html"))


@pytest.mark.parametrize("width", [1300, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_silent_and_fit(page, report, width, theme):
    """No message, no request beyond the folder, nothing to scroll sideways."""
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": theme}]},
    )
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    page.open(report)
    page.settle()
    assert page.script("return window.dfsynthTheme.isDark()") is (theme == "dark")
    page.find("#theme").click()
    assert page.script("return window.dfsynthTheme.isDark()") is (theme == "light")
    assert page.script("return document.documentElement.scrollWidth - innerWidth") <= 0
    page.script("document.querySelector('.card').click()")
    page.wait(lambda: page.all("#viewer-maps canvas[tabindex]"))
    assert page.messages() == []
    asked = page.requests()
    assert len(asked) > 20
    allowed = (report.as_uri(), "data:")
    assert [address for address in asked if not address.startswith(allowed)] == []
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
