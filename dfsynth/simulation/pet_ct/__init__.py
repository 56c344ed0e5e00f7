"""Pairs of PET and CT slices: measured in one session, or the PET simulated from the CT.

A PET that was not corrected for attenuation shows the body through what its tissues absorb: lungs
are bright, the skin is, and the middle is dark. What is simulated is a sketch in two dimensions; it
knows nothing of the third, of time of flight, of random coincidences or of breathing.
"""
