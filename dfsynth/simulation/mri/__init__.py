"""Pairs of MR slices: k-space that is sampled in part, and heads that move during the scan.

Magnitudes of single images alone: complex values and several coils are not simulated.
"""
