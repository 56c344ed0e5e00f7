"""Threads of one process: how many, pools, and reading ahead in order."""
