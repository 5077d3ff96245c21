"""Jobs over windows of event time: SQL that Flink runs."""
