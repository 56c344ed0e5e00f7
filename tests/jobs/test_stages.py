"""What the time of a build went into, and which stage is named as the slowest."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from radiograph_files import write_folder
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.cli.formats import report_lines
from dfsynth.jobs.build import run_build
from dfsynth.jobs.stages import use_of
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source.reading import read_below
from dfsynth.threads import activity as module
from dfsynth.threads.activity import Activity
from dfsynth.threads.prefetch import INPUTS

IMAGES = 8


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def out(tmp_path) -> Path:
    write_folder(tmp_path / "images", IMAGES)
    return tmp_path / "x.zarr"


def build(out: Path, committed=lambda _: None, facts=(), **more):
    """One batch, so that all inputs are there before the generator begins."""
    options = BuildOptions.of(
        source=out.parent / "images", out=out, shard_size=IMAGES, workers=1, **more
    )
    maker = ToyMaker(batch_size=IMAGES)
    maker.facts = replace(maker.facts, **dict(facts))
    return run_build(options, maker, Silent(), committed=committed)


def test_a_slow_source_is_named(out, clock, monkeypatch):
    waits, waiting = threading.Event(), Activity.waiting

    @contextmanager
    def heard(self, what):
        with waiting(self, what):
            waits.set()
            yield

    def slow(root, uri, max_bytes):
        if max_bytes:
            waits.wait()
            clock[0] += 100.0
        return read_below(root, uri, max_bytes)

    monkeypatch.setattr(Activity, "waiting", heard)
    monkeypatch.setattr("dfsynth.source.below_root.read_below", slow)
    report = build(out)
    use = report.stages
    assert (use.bottleneck, use.seconds) == ("read", 100.0 * IMAGES)
    assert use.busy == {
        "read": 1.0,
        "decode": 0.0,
        "generate": 0.0,
        "score and encode": 0.0,
        "write": 0.0,
    }
    assert use.waited["inputs"] > 0
    assert use.room == 2 * IMAGES
    assert 0 <= use.ready < IMAGES
    line = report_lines(report, "images")[-1]
    assert line.startswith("slowest stage: read; the source is slow: copy it to a faster disk")


@pytest.mark.parametrize(
    ("mc", "members", "has_dropout", "advice"),
    [
        ("full", 3, True, "choose --mc fast for a new store"),
        ("full", 1, True, "fewer --mc-samples for a new store"),
        ("full", 3, False, "run the same command on more machines"),
        ("full", 1, False, "run the same command on more machines"),
        ("fast", 3, True, "run the same command on more machines"),
    ],
)
def test_a_slow_generator_is_named(out, clock, monkeypatch, mc, members, has_dropout, advice):
    generate = ToyGenerator.generate

    def slow(self, inputs, image_ids):
        clock[0] += 30.0
        return generate(self, inputs, image_ids)

    monkeypatch.setattr(ToyGenerator, "generate", slow)
    use = build(out, facts={"members": members, "has_dropout": has_dropout}, mc=mc).stages
    assert (use.bottleneck, use.seconds, use.busy["generate"]) == ("generate", 30.0, 1.0)
    assert use.waited == {"inputs": 0.0, "score and encode": 0.0}
    assert use.advice == f"use a GPU, or {advice}"


def test_what_is_done_with_a_committed_shard_is_part_of_writing(out, clock):
    def put(_shard):
        clock[0] += 50.0

    use = build(out, put).stages
    assert (use.bottleneck, use.busy["write"]) == ("write", 1.0)


def test_nothing_to_do_has_no_stages(out):
    assert build(out).stages is not None
    report = build(out)
    assert report.stages is None
    assert len(report_lines(report, "images")) == 1


def played(busy: dict[str, float], waited: dict[str, float]) -> Activity:
    activity = Activity()
    activity.busy.update(busy)
    activity.waited.update(waited)
    activity.running_s = 10.0
    return activity


@pytest.mark.parametrize(
    ("busy", "waited", "stage"),
    [
        ({"read": 2.0, "decode": 17.0, "generate": 3.0}, {INPUTS: 6.0}, "decode"),
        ({"decode": 17.0, "generate": 6.0}, {INPUTS: 3.0}, "generate"),
        (
            {"score and encode": 18.0, "generate": 3.0},
            {"score and encode": 6.0},
            "score and encode",
        ),
        ({"decode": 9.0, "generate": 2.0, "write": 7.0}, {INPUTS: 1.0}, "write"),
    ],
)
def test_the_slowest_is_where_the_generators_thread_spends_most(busy, waited, stage):
    use = use_of(played(busy, waited), {"decode": 2}, 0.5, 8, "members")
    assert use is not None
    assert use.bottleneck == stage
    assert use.busy["decode"] == busy.get("decode", 0.0) / 20.0


@pytest.mark.parametrize(
    ("drawing", "advice"),
    [
        ("members", "--mc fast"),
        ("dropout", "--mc-samples"),
        ("once", "machines"),
        ("noise", "--sampler-steps"),
    ],
)
def test_advice_is_of_what_the_generator_can_do(drawing, advice):
    use = use_of(played({"generate": 19.0}, {}), {}, 0.5, 8, drawing)
    assert use is not None
    assert advice in use.advice
