"""The kernel: what every layer of photolog stands on, and nothing that knows a capability."""
