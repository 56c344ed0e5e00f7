"""HDF5 stores: a file of virtual datasets, and one part file for each shard; see record 14."""
