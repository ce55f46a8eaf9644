"""Every code that a user can meet is explained."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"code=\"([a-z-]+)\"")


def test_every_code_of_the_source_is_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/diagnostics.md").read_text(encoding="utf-8")
    used = {
        code
        for path in (ROOT / "src/freehold").rglob("*.py")
        for code in _CODE.findall(path.read_text(encoding="utf-8"))
    }
    assert len(used) > 50
    missing = sorted(code for code in used if f"| `{code}`" not in reference)
    assert missing == []
