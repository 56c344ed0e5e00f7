"""Random streams by name."""

from hypothesis import given
from hypothesis import strategies as st

from dfsynth.simulation.streams import Streams

SEEDS = st.integers(0, 2**63 - 1)


@given(SEEDS, st.text(max_size=20))
def test_seed_and_name_decide_the_numbers(seed: int, name: str) -> None:
    first, second = Streams(seed)(name), Streams(seed)(name)
    assert first.random(4).tolist() == second.random(4).tolist()


@given(SEEDS, SEEDS, st.sampled_from(["noise", "blur"]), st.sampled_from(["noise", "blur"]))
def test_another_seed_or_name_is_another_stream(a: int, b: int, one: str, other: str) -> None:
    same = Streams(a)(one).random(4).tolist() == Streams(b)(other).random(4).tolist()
    assert same == ((a, one) == (b, other))


def test_a_stream_does_not_depend_on_what_was_drawn_before() -> None:
    streams = Streams(7)
    streams("noise").random(1000)
    assert streams("blur").random() == Streams(7)("blur").random()
