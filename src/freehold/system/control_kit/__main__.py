"""Makes the kit and says as JSON where it is. Run by the role `control` on the computer that runs Ansible."""

import json
import sys
from importlib import metadata
from pathlib import Path

from freehold.system.control_kit.estate import TooLarge, make_archive
from freehold.system.control_kit.versions import constraints
from freehold.system.control_kit.wheel import NAME, make_wheel


def main(folder: Path, estate: Path) -> int:
    """The exit code; standard error says what went wrong."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.glob(f"{NAME}-*.whl"):
            old.unlink()
        versions = folder / "constraints.txt"
        versions.write_text(constraints(NAME), encoding="utf-8")
        kit = {
            "wheel": str(make_wheel(folder)),
            "constraints": str(versions),
            "estate": str(make_archive(estate, folder / "estate.tar.gz")),
        }
    except (OSError, TooLarge, metadata.PackageNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(kit) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
