"""JSON documents: one spelling on disk, and objects alone read back."""

import json

import pytest

from dfsynth.files.json_record import encode_json, parse_object


def test_a_document_is_indented_unescaped_and_ends_its_line():
    document = {"unit": "1/m²", "size": (2, 3), "seed": None}
    assert encode_json(document).decode() == (
        '{\n  "unit": "1/m²",\n  "size": [\n    2,\n    3\n  ],\n  "seed": null\n}\n'
    )
    assert parse_object(encode_json(document)) == json.loads(json.dumps(document))


@pytest.mark.parametrize(
    ("value", "error"), [(float("nan"), ValueError), (float("-inf"), ValueError), (b"x", TypeError)]
)
def test_what_json_does_not_know_is_refused(value, error):
    with pytest.raises(error):
        encode_json({"value": value})


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\x00", b"[" * 200_000])
def test_what_is_no_json_is_named(raw):
    with pytest.raises(ValueError, match="it is no JSON"):
        parse_object(raw)


@pytest.mark.parametrize("raw", [b"[]", b"null", b"3", b'"text"'])
def test_what_is_no_object_is_named(raw):
    with pytest.raises(ValueError, match="no object with entries"):
        parse_object(raw)
