"""Which module may import which."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.tree import ROOT, sources

COMPILED = re.compile(r"^\s*(from|import)\s.*\b(_ffi|cffi)\b", re.MULTILINE)


def test_imports_go_down_the_layers_only_and_in_no_circle() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed in this environment (make develop)")

    done = subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_one_module_alone_imports_the_compiled_code() -> None:
    importers = [
        str(path)
        for path in sources("rsyscall_ns")
        if path.suffix == ".py" and COMPILED.search((ROOT / path).read_text(encoding="utf-8"))
    ]

    assert len(importers) == 1, importers
