"""What a store says of itself to people and to programs: its dataset card and its Croissant file.

Both follow from the build record and the manifest alone, so that equal stores have equal ones.
"""

from dfsynth.description.card import CardState, card_state, write_card
from dfsynth.description.croissant import write_croissant
from dfsynth.description.facts import StoreFacts, counted_columns, gather_facts

__all__ = [
    "CardState",
    "StoreFacts",
    "card_state",
    "counted_columns",
    "gather_facts",
    "write_card",
    "write_croissant",
]
