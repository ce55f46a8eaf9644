"""The Freehold that runs here as a wheel, whether it was installed or is run from its sources. Called by `__main__`.

The version gets a local part that is a fingerprint of the content (`0.4.0+c1f2e3d4c`): pip then knows a changed one from
the one that it has installed, and leaves the same one alone. Facts: "Binary distribution format" and "Recording installed
projects" of the Python Packaging User Guide.
"""

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import freehold

NAME = "freehold"
_SHIPPED = ("freehold", "ansible_collections/freehold")
_LEFT_OUT = {"__pycache__", ".cache"}
_TAGS = "Wheel-Version: 1.0\nGenerator: freehold\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


def make_wheel(folder: Path) -> Path:
    """Write it into the folder; the same content makes the same file. Raises OSError, metadata.PackageNotFoundError."""
    content = dict(_content(Path(freehold.__file__).parents[1]))
    version = f"{freehold.__version__}+c{_digest(content)}"
    notes = f"{NAME}-{version}.dist-info"
    content |= {f"{notes}/{name}": (text, 0o644) for name, text in _notes(version).items()}
    content[f"{notes}/RECORD"] = (_record(content, f"{notes}/RECORD"), 0o644)
    path = folder / f"{NAME}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, mode) in content.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)
    return path


Content = Mapping[str, tuple[bytes, int]]


def _content(root: Path) -> Iterator[tuple[str, tuple[bytes, int]]]:
    """Every file that Freehold consists of: by its name in the wheel, what is in it and its permissions."""
    for shipped in _SHIPPED:
        for path in sorted((root / shipped).rglob("*")):
            inner = path.relative_to(root)
            if path.is_file() and not _LEFT_OUT.intersection(inner.parts):
                mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                yield inner.as_posix(), (path.read_bytes(), mode)


def _digest(content: Content) -> str:
    total = hashlib.sha256()
    for name, (data, mode) in content.items():
        total.update(f"{name}\0{mode:o}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return total.hexdigest()[:12]


def _notes(version: str) -> dict[str, bytes]:
    """What pip reads besides the files: those of this installation, with the version."""
    here = metadata.distribution(NAME)
    described = re.sub(
        r"(?m)^Version: .*$", f"Version: {version}", here.read_text("METADATA") or "", count=1
    )
    described = re.sub(
        r"(?m)^License-File: .*\n", "", described
    )  # its path is that of the first wheel
    texts = {
        "METADATA": described,
        "WHEEL": _TAGS,
        "entry_points.txt": here.read_text("entry_points.txt") or "",
    }
    return {name: text.encode() for name, text in texts.items()}


def _record(content: Content, own: str) -> bytes:
    lines = []
    for name, (data, _) in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{own},,\n"]).encode()
