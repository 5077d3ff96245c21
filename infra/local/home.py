"""Where the local stack keeps what it writes.

A home is one folder: data, logs, rendered configuration, run records and the stack's environment. The repository's
`.photolog` is the default home and also holds what all homes share, the Python environment and the fetched engines.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import LayoutMismatch

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY / ".photolog"
ENGINES = SHARED / "engines"
LAYOUT = "1"


@dataclass(frozen=True)
class Home:
    """The folders and files of one stack.

    Args:
        root: absolute path; made on first use.
    """

    root: Path

    @property
    def data(self) -> Path:
        """What the engines store; one folder each."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.root / "logs"

    @property
    def config(self) -> Path:
        """Rendered configuration; one folder for each engine, rewritten at every boot."""
        return self.root / "config"

    @property
    def run(self) -> Path:
        """The supervisor's lock and a record of each process."""
        return self.root / "run"

    @property
    def environment_file(self) -> Path:
        """Every PHOTOLOG_* key of this stack, secrets included; readable by its owner only."""
        return self.root / "local.env"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            LayoutMismatch: the data was written with another layout; nothing was touched.
        """
        self.check_layout()
        for folder in (self.root, self.data, self.logs, self.config, self.run):
            folder.mkdir(parents=True, exist_ok=True)
        (self.data / "layout").write_text(LAYOUT)

    def check_layout(self) -> None:
        """Refuse data that this version would misread.

        Raises:
            LayoutMismatch: naming both versions and how to remove the data.
        """
        if not self.data.is_dir() or not any(self.data.iterdir()):
            return
        mark = self.data / "layout"
        found = mark.read_text().strip() if mark.is_file() else "none"
        if found != LAYOUT:
            raise LayoutMismatch(
                f"The data in {self.data} has layout {found}; this version reads layout {LAYOUT}. "
                "Remove it with `bin/photolog down --wipe` (everything stored locally is lost), or set PHOTOLOG_HOME "
                "to another folder."
            )

    def wipe(self) -> None:
        """Remove everything that a stack wrote here; what all homes share stays. Never call it under a live engine."""
        for folder in (self.data, self.config, self.run, self.logs):
            if folder.exists():
                shutil.rmtree(folder)
        self.environment_file.unlink(missing_ok=True)


def default_home() -> Home:
    """The folder that PHOTOLOG_HOME names, or the repository's own."""
    return Home(Path(os.environ.get("PHOTOLOG_HOME") or SHARED).resolve())
