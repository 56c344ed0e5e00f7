"""Zarr v3 stores: documents, shard objects, their writer and reader."""
