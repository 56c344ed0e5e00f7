"""Pages escape what files say, whatever it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_stores import facts_of

from dfsynth.report.browser import (
    EvaluationPage,
    FailureKind,
    FailureSentence,
    GalleryImage,
    GroupColumn,
    NumberColumn,
    StorePage,
    write_evaluation_page,
    write_store_page,
)

HOSTILE = "</script><b onload='x'>\"&\x1b[31m\u202e\u2028\x00"
SHOWN = "&lt;/script&gt;&lt;b onload=&#39;x&#39;&gt;&#34;&amp;\\u001b[31m\\u202e\\u2028\\u0000"

PAGE = StorePage(
    store=f"x {HOSTILE}.zarr",
    command="dfsynth build",
    holds="images",
    notice=HOSTILE,
    planned=3,
    finished=2,
    failed=1,
    pending=0,
    shards=1,
    shards_done=1,
    numbers=(NumberColumn("score", HOSTILE, HOSTILE, None, np.zeros(2, np.float32), False),),
    groups=(GroupColumn("view", "view", (HOSTILE,), np.zeros(2, np.uint16), None),),
    empty_columns=(HOSTILE,),
    ungrouped=(HOSTILE,),
    default="score",
    no_lung=(),
    maps=(),
    images=(GalleryImage(0, 0, HOSTILE, (HOSTILE,)),),
    failures=(FailureKind(HOSTILE, 1, (FailureSentence(HOSTILE, 1, (HOSTILE,)),), 0),),
    damage=(HOSTILE,),
    remarks=(HOSTILE,),
    errors=(),
    error_basis=HOSTILE,
    promise_terms="",
    checkpoint=None,
    provenance={HOSTILE: {"inner": [HOSTILE, 1]}},
)


def written(folder: Path) -> tuple[str, str]:
    html = (folder / "index.html").read_text(encoding="utf-8")
    return html, (folder / "data/facts.js").read_text(encoding="utf-8")


def test_a_store_page_escapes_everything(tmp_path: Path) -> None:
    write_store_page(tmp_path, PAGE)
    html, script = written(tmp_path)
    assert "<b onload" not in html
    assert html.count(SHOWN) >= 14
    assert not [c for c in html + script if not c.isprintable() and c != "\n"]
    assert script.isascii()
    facts = facts_of(tmp_path)
    assert facts["groups"][0]["labels"][0].endswith("\\u001b[31m\\u202e\\u2028\\u0000")


def test_an_evaluation_page_escapes_everything(tmp_path: Path) -> None:
    page = EvaluationPage(
        title=HOSTILE,
        data=HOSTILE,
        notice=HOSTILE,
        facts={"cases": {"lines": [[HOSTILE]]}},
        tiles=((HOSTILE, HOSTILE),),
        stated=((HOSTILE, HOSTILE),),
        warnings=(HOSTILE,),
    )
    write_evaluation_page(tmp_path, page)
    html, script = written(tmp_path)
    assert "<b onload" not in html
    assert not [c for c in html + script if not c.isprintable() and c != "\n"]


def test_a_name_is_quoted_for_the_shell_and_for_python(tmp_path: Path) -> None:
    write_store_page(tmp_path, replace(PAGE, store="it's $HOME.zarr"))
    facts = facts_of(tmp_path)
    assert facts["shellName"] == "'it'\"'\"'s $HOME.zarr'"
    assert facts["pythonName"] == '"it\'s $HOME.zarr"'


def test_facts_hold_no_number_that_json_does_not_know(tmp_path: Path) -> None:
    bad = EvaluationPage("t", "d", "n", {"a": float("nan")}, (), (), ())
    with pytest.raises(ValueError, match="JSON"):
        write_evaluation_page(tmp_path, bad)
