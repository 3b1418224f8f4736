"""Measurements, side by side in one run. The suite sees that it runs; no test is timed."""
