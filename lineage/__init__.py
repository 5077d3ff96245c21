"""Looking back: what an event led to, what made a row what it is, what a feed showed then. All of it from the log."""
