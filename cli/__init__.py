"""The command line: one file for each command; `app.py` holds the table of them."""
