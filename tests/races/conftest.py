"""What the races share."""

from __future__ import annotations

import pytest

from tests.support.steps import Steps


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Count the steps of everything that a test does."""
    return Steps(monkeypatch)
