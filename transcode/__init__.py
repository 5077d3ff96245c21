"""Turning what people upload into what clients show: judged by its bytes, made in a sandbox, named by a pure plan."""
