"""Connections to the engines, made from settings; nothing here knows a capability."""
