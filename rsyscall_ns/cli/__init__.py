"""The command line: ``rsyscall-ns``."""

from .main import main

__all__ = ["main"]
