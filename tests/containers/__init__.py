"""Tests of containers: real ones, with all that the kernel of this machine gives."""
