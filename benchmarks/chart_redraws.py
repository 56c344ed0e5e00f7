"""How long a chart library takes to redraw seventeen histograms, as a slider asks of it.

    npm pack uplot plotly.js-basic-dist-min, and unpack both
    python benchmarks/chart_redraws.py --uplot uPlot.iife.min.js --plotly plotly-basic.min.js

In Chromium without a window; each library alone on its page, 72 bars of two series a histogram.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from headless_chromium import start_chromium
from machine import describe_machine
from selenium import webdriver

_REPEATS: Final = 20
_COMMON: Final = """
const [repeats, done] = arguments;
const x = Array.from({ length: 72 }, (_, i) => i);
const counts = () => x.map(() => Math.round(1000 * Math.random()));
const places = Array.from({ length: 17 }, () => {
  const place = document.createElement("div");
  place.style.cssText = "width: 280px; height: 128px; display: inline-block";
  document.body.append(place);
  return place;
});
"""
_MEASURE: Final = """
const times = [];
const next = async () => {
  if (times.length === repeats) return done(times);
  const begun = performance.now();
  await redraw();
  times.push(performance.now() - begun);
  requestAnimationFrame(next);
};
next();
"""
_LIBRARIES: Final = {
    "uplot": """
    const bars = uPlot.paths.bars({ size: [1, 400], align: 1 });
    const series = [{}, { paths: bars, fill: "#ccc" }, { paths: bars, fill: "#07b" }];
    const options = { width: 280, height: 128, legend: { show: false }, cursor: { show: false },
      scales: { x: { time: false } }, series };
    const charts = places.map((place) => new uPlot(options, [x, counts(), counts()], place));
    const redraw = async () => {
      for (const chart of charts) chart.setData([x, counts(), counts()]);
      // uPlot draws in a microtask.
      await null;
    };
    """,
    "plotly": """
    const layout = { barmode: "overlay", showlegend: false, width: 280, height: 128,
      margin: { l: 30, r: 5, t: 5, b: 20 } };
    const traces = () => [{ x, y: counts(), type: "bar" }, { x, y: counts(), type: "bar" }];
    const still = { staticPlot: true };
    for (const place of places) Plotly.newPlot(place, traces(), layout, still);
    const redraw = () =>
      Promise.all(places.map((place) => Plotly.react(place, traces(), layout, still)));
    """,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in _LIBRARIES:
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    print(describe_machine())
    with start_chromium(script_timeout_s=300) as driver, TemporaryDirectory() as folder:
        for _ in range(2):
            for name, code in _LIBRARIES.items():
                script = getattr(given, name)
                times = measure(driver, Path(folder), script, code)
                print(
                    f"{name}: {script.stat().st_size} bytes; seventeen histograms "
                    f"{np.median(times):.1f} ms (median of {_REPEATS}), {times.max():.1f} ms "
                    "(slowest)"
                )


def measure(
    driver: webdriver.Chrome, folder: Path, script: Path, code: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The time of each redraw in ms, (repeats), on a page with one library."""
    page = folder / "page.html"
    page.write_text(f'<!doctype html><script src="{script.resolve().as_uri()}"></script><body>')
    driver.get(page.as_uri())
    return np.array(driver.execute_async_script(_COMMON + code + _MEASURE, _REPEATS))


if __name__ == "__main__":
    main()
