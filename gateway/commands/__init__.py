"""Commands: requests that may be refused, and otherwise become events."""
