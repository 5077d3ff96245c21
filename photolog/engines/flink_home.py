"""Where the Flink is that the jobs are written for."""

import importlib.util
from pathlib import Path


def flink_home() -> Path:
    """The folder of the Flink in this Python environment: its `bin` and `lib` are in it."""
    found = importlib.util.find_spec("pyflink")
    assert found is not None, "apache-flink is a dependency"
    assert found.origin is not None
    return Path(found.origin).parent
