"""How images are padded to sides that a network can halve."""

import pytest
import torch
from drawn_networks import drawn_cascade


@pytest.mark.parametrize("backbone", ["compact", "coarse"])
@pytest.mark.parametrize(
    ("given", "padded"),
    [
        ((1, 1), (1, 1)),
        ((1, 9), (1, 9)),
        ((4, 1), (4, 1)),
        ((5, 1), (5, 2)),
        ((9, 2), (9, 2)),
    ],
)
def test_no_grid_ends_as_one_column_of_more_than_four_rows(
    backbone: str, given: tuple[int, int], padded: tuple[int, int]
) -> None:
    network = drawn_cascade(1, backbone=backbone)
    for less in (0, 1):
        sides = [network.divisor * side - less for side in given]
        expected = (1, 1, *(network.divisor * side for side in padded))
        assert network.pad(torch.zeros(1, 1, *sides)).shape == expected
        assert network.pad_by_edges(torch.ones(1, 1, *sides)).eq(1).all()
