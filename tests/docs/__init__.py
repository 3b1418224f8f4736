"""The documentation's programs are run."""
