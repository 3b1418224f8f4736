"""Processes, children, and tracing."""
