import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.jobs.known_ids import KnownIds

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3))


@given(first=NAMES, second=NAMES, asked=NAMES)
def test_ids_are_known_or_not(first: list[str], second: list[str], asked: list[str]) -> None:
    known = KnownIds(pa.array(names, pa.string()) for names in (first, second))
    assert len(known) == len(first) + len(second)
    found = known.unknown(pa.array(asked, pa.string()))
    assert found.tolist() == [name not in {*first, *second} for name in asked]


def test_one_hash_in_common_makes_no_id_known(monkeypatch) -> None:
    """Built-in `hash` gives strings nobody can choose; here all texts have the same first one."""
    monkeypatch.setattr(
        "dfsynth.jobs.known_ids.hash",
        lambda text: hash(text) if text.endswith("\0") else 7,
        raising=False,
    )
    known = KnownIds([pa.array(["a"])])
    assert known.unknown(pa.array(["a", "b"])).tolist() == [False, True]
