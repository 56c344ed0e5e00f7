"""Shards spread over processes: one a GPU of this machine, or the workers of a Ray cluster."""
