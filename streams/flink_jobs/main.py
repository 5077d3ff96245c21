"""What `flink run -py` runs: hands jobs to the cluster, and ends once it has them.

`python -m streams.flink_jobs.main JOB[=STATE] …`: STATE is the checkpoint or savepoint that a job goes on from. The
cluster is that of Flink's own configuration, the topics those of our settings.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, StatementSet, TableEnvironment

from photolog.settings import Settings, load_settings
from streams.flink_jobs.catalogue import JOBS, Job, group_of
from streams.flink_jobs.tables import Reading, reading_ddl, writing_ddl


def configuration(settings: Settings, options: Mapping[str, str]) -> Configuration:
    """Flink's configuration of one job: what all have in common, and its own options."""
    flink = settings.flink
    common = {
        "parallelism.default": str(flink.parallelism),
        "table.local-time-zone": "UTC",
        # Operators hand rows on without copying them, as none of SQL's changes a row that it was given.
        "pipeline.object-reuse": "true",
        # Sets of distinct people are larger than what they are made of, so that nothing is won by a first phase.
        "table.optimizer.agg-phase-strategy": "ONE_PHASE",
    }
    if flink.jars:
        common["pipeline.jars"] = ";".join(Path(jar).absolute().as_uri() for jar in flink.jars)
    made = Configuration()
    for name, value in (common | dict(options)).items():
        made.set_string(name, value)
    return made


def prepared(job: Job, settings: Settings, state: str | None = None) -> StatementSet:
    """A job, ready to be handed to the cluster.

    Args:
        job: which one.
        settings: where everything is.
        state: the checkpoint or savepoint that it goes on from; None to begin anew.
    """
    flink, kafka, registry = settings.flink, settings.kafka, settings.registry
    options = {
        "pipeline.name": job.name,
        "table.exec.state.ttl": f"{job.state_ms} ms",
        "execution.checkpointing.interval": f"{flink.checkpoint_ms} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.dir": f"{flink.state_uri}/{job.name}/checkpoints",
    }
    if state is not None:
        options["execution.state-recovery.path"] = state
    table = TableEnvironment.create(
        EnvironmentSettings.new_instance()
        .in_streaming_mode()
        .with_configuration(configuration(settings, options))
        .build()
    )
    reading = Reading(kafka, registry, group_of(job.name), flink.lateness_ms, flink.idle_ms)
    for event in job.reads:
        table.execute_sql(reading_ddl(event, reading))
    for event in job.writes:
        table.execute_sql(writing_ddl(event, kafka, registry))
    for view in job.views(flink.lateness_ms):
        table.execute_sql(view)
    statements = table.create_statement_set()
    for statement in job.insertions():
        statements.add_insert_sql(statement)
    return statements


def main(arguments: Sequence[str]) -> None:
    """Hand over every job that is named."""
    settings = load_settings()
    for argument in arguments:
        name, _, state = argument.partition("=")
        client = prepared(JOBS[name], settings, state or None).execute().get_job_client()
        print(f"{name} {client.get_job_id()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
