"""Tests of the classes of faults that launchers have had (SECURITY-CASES)."""
