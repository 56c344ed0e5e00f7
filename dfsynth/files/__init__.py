"""Files that appear whole or not at all, locks, and what the disk refuses, in one sentence."""
