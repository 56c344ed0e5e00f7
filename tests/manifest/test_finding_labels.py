"""Positive, negative, uncertain and blank findings become 1, 0 and NaN, or what is asked for."""

import numpy as np
import pyarrow as pa
import pytest

from dfsynth.errors import UsageError
from dfsynth.manifest import known_findings, label_rows, positive_weights, require_findings

NAN = float("nan")
Lists = list[list[str] | None]


def rows(positive: Lists, negative: Lists, uncertain: Lists) -> pa.Table:
    kind = pa.list_(pa.string())
    return pa.table(
        {
            "findings": pa.array(positive, kind),
            "findings_negative": pa.array(negative, kind),
            "findings_uncertain": pa.array(uncertain, kind),
        }
    )


CHEXPERT = rows(
    [["Edema"], [], None, ["Edema", "Mass"]],
    [["Mass"], ["Edema"], None, []],
    [[], ["Mass"], None, []],
)
NIH = rows([["Mass"], [], None], [None] * 3, [None] * 3)


def test_each_state_has_its_number() -> None:
    found = label_rows(CHEXPERT, ("Edema", "Mass", "Hernia"), NAN, NAN)
    expected = [[1, 0, NAN], [0, NAN, NAN], [NAN] * 3, [1, 1, NAN]]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))
    assert found.dtype == np.float32


def test_policies_fill_uncertain_and_blank_but_not_what_nothing_is_known_of() -> None:
    found = label_rows(CHEXPERT, ("Edema", "Mass", "Hernia"), 1.0, 0.0)
    expected = [[1, 0, 0], [0, 1, 0], [NAN] * 3, [1, 1, 0]]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_a_corpus_without_negatives_has_no_blanks() -> None:
    found = label_rows(NIH, ("Edema", "Mass"), NAN, NAN)
    np.testing.assert_array_equal(found, np.array([[0, 1], [0, 0], [NAN, NAN]], np.float32))


def test_positive_goes_before_uncertain_and_negative() -> None:
    both = rows([["A"], []], [["A"], ["A"]], [["A"], ["A"]])
    assert label_rows(both, ("A",), 0.5, NAN).tolist() == [[1], [0.5]]


def test_chunks_are_one_column() -> None:
    table = pa.concat_tables([CHEXPERT, CHEXPERT.slice(1)])
    whole = label_rows(table, ("Edema", "Mass"), NAN, NAN)
    once = label_rows(CHEXPERT, ("Edema", "Mass"), NAN, NAN)
    np.testing.assert_array_equal(whole, np.concatenate([once, once[1:]]))


def test_weights_are_negatives_over_positives() -> None:
    labels = np.array([[1, 1, 0], [0, 1, NAN], [0, NAN, 0], [NAN, 1, 0]], np.float32)
    assert positive_weights(labels).tolist() == [2, 1, 1]


def test_the_findings_of_a_manifest() -> None:
    assert known_findings(CHEXPERT) == ("Edema", "Mass")
    assert known_findings(pa.table({"row": [0]})) == ()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("Edem",), r"no finding 'Edem'.*did you mean 'Edema'\? it holds Edema, Mass"),
        (("Mass", "Mass"), "expected each once"),
        ((), "found no finding to label images by"),
    ],
)
def test_wrong_findings_are_named(wanted: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        require_findings(wanted, ("Edema", "Mass"))
