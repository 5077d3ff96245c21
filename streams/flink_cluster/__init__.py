"""The cluster that runs the jobs of `streams/flink_jobs`: asked, and told, from outside."""
