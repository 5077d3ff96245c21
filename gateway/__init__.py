"""The thin gateway: appends events and reads the models."""
