"""How long a report of a large store takes, how large it is, and how fast its page answers.

python benchmarks/browser_report.py --rows 112120 --thumbnails 2000 --work /tmp/report-benchmark

The store is one shard of generated maps, linked as often as the rows need, under a manifest of
drawn scores, findings and failures: what a report reads is as large as of a corpus. The page is
timed in Chromium without a window.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from headless_chromium import start_chromium
from machine import describe_machine

import dfsynth
from dfsynth.errors import ErrorCode
from dfsynth.manifest import IMAGES, encode_part, read_part, rows_of
from dfsynth.records import ManifestRow
from dfsynth.resources import data_folder
from dfsynth.score import NO_SCORES
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.record import read_record

_SHARD: Final = 64
_MAPS: Final = ("attenuation", "dark_field", "aleatoric", "epistemic")
_FINDINGS: Final = (
    *("Infiltration", "Effusion", "Atelectasis", "Nodule", "Mass", "Pneumothorax"),
    *("Consolidation", "Pleural_Thickening", "Cardiomegaly", "Emphysema", "Edema", "Fibrosis"),
    *("Pneumonia", "Hernia"),
)
_STEPS: Final = 60
_TIMED: Final = """
const [steps, done] = arguments;
const slider = document.getElementById("slider");
const channel = new MessageChannel();
const times = [];
const next = () => {
  if (times.length === steps) return done(times);
  slider.value = Math.round(((times.length + 0.5) / steps) * slider.max);
  const begun = performance.now();
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  // After the page's own frame, and after what that has painted.
  requestAnimationFrame(() => {
    channel.port1.onmessage = () => { times.push(performance.now() - begun); next(); };
    channel.port2.postMessage(0);
  });
};
next();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=112_120)
    parser.add_argument("--thumbnails", type=int, default=2000)
    parser.add_argument("--work", type=Path, default=Path("report-benchmark"))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    print(describe_machine())
    store = given.work / "large.zarr"
    if not store.exists():
        make_store(given.work, store, given.rows)
    begun, worked = time.perf_counter(), time.process_time()
    report = dfsynth.write_report(store, out=given.work / "report", thumbnails=given.thumbnails)
    wall_s, cores_s = time.perf_counter() - begun, time.process_time() - worked
    print(
        f"written in {wall_s:.1f} s ({cores_s:.1f} s of processor), {report.size_bytes / 1e6:.1f} "
        f"MB, {report.images} images, {report.thumbnails} with thumbnails"
    )
    time_page(report.page)


def make_store(work: Path, out: Path, rows: int) -> None:
    """One shard by the packaged generator, linked; a manifest part for each shard."""
    base = work / "base.zarr"
    if not base.exists():
        source = write_variants(work / "variants")
        dfsynth.build(source, base, mc_samples=20, shard_size=_SHARD, maps=_MAPS)
    small = StoreLayout(base)
    record = read_record(small.build)
    assert isinstance(record, BuildRecord)
    shards = -(-rows // _SHARD)
    large = replace(record, rows=rows, shards=shards, plan_id="0" * 32)
    layout = StoreLayout(out)
    layout.make_folders()
    format_of(layout).write_group(layout, large.arrays, large.attributes())
    held = rows_of(read_part(small.part(0)))
    for shard in range(shards):
        pairs = zip(
            format_of(small).shard_files(small, _MAPS, 0),
            format_of(layout).shard_files(layout, _MAPS, shard),
            strict=True,
        )
        for file, place in pairs:
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, place)
        first = shard * _SHARD
        drawn = [draw_row(held[n % _SHARD], n) for n in range(first, min(first + _SHARD, rows))]
        layout.part(shard).write_bytes(encode_part(drawn, IMAGES))
    layout.build.write_bytes(large.to_json())


def write_variants(folder: Path) -> Path:
    """As many radiographs as a shard holds: those of the package, mirrored, moved, brightened."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = sorted(data_folder("samples").glob("*.png"))
    for number in range(_SHARD):
        rng = np.random.default_rng(number)
        image = cv2.imread(str(samples[number % len(samples)]), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        moved = np.roll(image, rng.integers(-20, 20, 2), (0, 1))
        turned = moved[:, ::-1] if number % 2 else moved
        bright = 255 * (turned / 255.0) ** rng.uniform(0.8, 1.25)
        cv2.imwrite(str(folder / f"{number:04d}.png"), bright.astype(np.uint8))
    return folder


def draw_row(held: ManifestRow | Any, row: int) -> ManifestRow:
    """A row with scores about those of the shard's, findings as rare as in an archive."""
    rng = np.random.default_rng(row)
    named: dict[str, Any] = {
        "row": row,
        "shard": row // _SHARD,
        "image_id": f"{row:08d}_{row % 12:03d}.png",
        "patient_id": f"{row // 4}",
        "view": "PA" if rng.random() < 0.6 else "AP",
        "split": "train" if rng.random() < 0.77 else "test",
        "findings": tuple(f for f in _FINDINGS if rng.random() < 0.06) or ("No Finding",),
    }
    if rng.random() < 0.01:
        code = str(rng.choice([ErrorCode.TRUNCATED, ErrorCode.NOT_AN_IMAGE, ErrorCode.CONSTANT]))
        failed = {"error_code": code, "error": f"the file is {code}", "checksum": None}
        return replace(held, **named, **failed, status="failed", scores=NO_SCORES, flags=())
    scores = {
        name: None if value is None else float(value * rng.lognormal(0, 0.25))
        for name, value in held.scores.items()
    }
    return replace(held, **named, scores=scores)


def time_page(page: Path) -> None:
    """First paint, until all is drawn, and how long the slider takes from move to paint."""
    with start_chromium(script_timeout_s=120) as driver:
        for attempt in range(3):
            driver.get(page.resolve().as_uri())
            driver.execute_async_script("window.dfsynthSettled().then(arguments[0]);")
            painted, loaded = driver.execute_script(
                "const [load] = performance.getEntriesByType('navigation');"
                "const paint = performance.getEntriesByName('first-contentful-paint')[0];"
                "return [paint.startTime, load.loadEventEnd];"
            )
            times = np.array(driver.execute_async_script(_TIMED, _STEPS))
            print(
                f"page {attempt + 1}: first paint {painted:.0f} ms, loaded {loaded:.0f} ms; slider "
                f"{np.median(times):.0f} ms (median of {_STEPS}), "
                f"{np.quantile(times, 0.95):.0f} ms (95 %), {times.max():.0f} ms (slowest)"
            )


if __name__ == "__main__":
    main()
