"""The radiographs that come with dfsynth, as a corpus that needs no root."""

import shutil

from miniature_corpus import items_of, rows_of

from dfsynth.decode import decode
from dfsynth.resources import data_folder
from dfsynth.source import CorpusSource, open_source


def test_they_need_no_root() -> None:
    source = open_source("samples", None)
    assert isinstance(source, CorpusSource)
    found = source.survey()
    rows = rows_of(found)
    assert len(rows) == 8
    assert rows["nih_00001373_010"]["findings"] == ["Cardiomegaly", "Effusion", "Pneumonia"]
    assert rows["hannover_0ac7580d"]["patient_id"] == "hannover-43b865bf"
    assert found.complaints == ()
    assert found.listing.excluded == {}
    assert decode(source.read(items_of(found)[0], 1 << 24)).pixels.ndim == 2


def test_a_copy_of_them_is_taken_where_root_says(tmp_path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(data_folder("samples"), root)
    (root / "nih_00001373_010.png").unlink()
    assert len(open_source("samples", root).listing().table) == 7
