"""TBX11K in a miniature of its layout; the lists are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

LISTS = {
    "lists/TBX11K_train.txt": "tb/tb0001.png\nhealth/h0001.png\n",
    "lists/TBX11K_val.txt": "sick/s0001.png\n",
    "lists/TBX11K_trainval.txt": "tb/tb0001.png\nhealth/h0001.png\nsick/s0001.png\n",
    "lists/all_train.txt": "tb/tb0001.png\nextra/da+db/train/p1.png\n",
    "lists/all_test.txt": "test/test_00000001.png\n",
    "annotations/xml/tb0001.xml": "<annotation/>",
    "annotations/json/TBX11K_train.json": "{}",
}
IMAGES = [
    "imgs/health/h0001.png",
    "imgs/sick/s0001.png",
    "imgs/tb/tb0001.png",
    "imgs/test/test_00000001.png",
    "imgs/extra/mc+shenzhen/train/CHNCXR_0327_1.png",
]


@pytest.mark.parametrize("before", ["", "imgs/"])
def test_folders_and_lists(tmp_path, before) -> None:
    lists = {
        name: "".join(before + line + "\n" for line in text.splitlines())
        if name.startswith("lists/")
        else text
        for name, text in LISTS.items()
    }
    plant(tmp_path / "TBX11K", lists, IMAGES)
    source = open_known("tbx11k", tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert rows["tb0001"] == {
        "image_id": "tb0001",
        "uri": "imgs/tb/tb0001.png",
        "view": "FRONTAL",
        "findings": ["Tuberculosis"],
        "split": "train",
    }
    assert [row.get("findings") for row in rows.values()] == [
        ["Healthy"],
        ["Sick but no tuberculosis"],
        ["Tuberculosis"],
        None,
    ]
    assert [row["split"] for row in rows.values()] == ["train", "val", "train", "test"]
    assert found.listing.excluded["outside_image_folders"] == 1
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)
