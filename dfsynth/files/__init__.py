"""Files that appear whole or not at all, JSON in them, locks, and what the disk refuses."""
