"""The log for analysis: exported to files of columns once for each event, and asked in SQL as far as it is public."""
