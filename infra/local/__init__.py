"""The engines and processes of the platform on one machine, without containers."""
