"""Pairs of the task `restoration`: a radiograph, and what a degrader leaves of it.

Radiographs are computed from CT volumes or drawn bodies, with nodules in their lungs, or are real.
"""
