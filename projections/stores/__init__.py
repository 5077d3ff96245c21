"""One port, one adapter for each engine, one contract suite over all of them (tests/contract)."""
