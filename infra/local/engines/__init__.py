"""One folder for each engine: its pom, its configuration templates and its declaration (`engine.py`)."""
