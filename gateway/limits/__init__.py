"""How often whom may ask for what: token buckets for each account and each address, and for wrong passwords."""
