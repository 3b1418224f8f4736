"""The suite. It mirrors the package and runs against the real kernel, with no mocks."""
