"""A chest with its true prediction."""

import pytest
from segmented_chest import Chest, chest_with_heart


@pytest.fixture
def chest() -> Chest:
    return chest_with_heart()
