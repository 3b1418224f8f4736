"""What is called in the measurements. Nothing is imported here: a child imports this each time."""

__all__ = ["add"]


def add(one_number: int, other: int) -> int:
    """Be called."""
    return one_number + other
