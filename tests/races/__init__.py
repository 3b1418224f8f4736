"""Tests that fail, cancel and kill at every step, and count what is left."""
