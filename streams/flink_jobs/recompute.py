"""What a job should have told: the same SQL over all that its topics held, in one bounded run.

`python -m streams.flink_jobs.recompute PLAN RESULTS`, by `flink run -py`: the plan is `Recomputation` as JSON, the
results are the fields of each event, a JSON object a line. Late records are left out by their places, as the job left
them out.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from pyflink.table import EnvironmentSettings, TableEnvironment

from photolog.settings import Settings, load_settings
from schemas.events import Event, EventCameLate
from schemas.serde import SCHEMAS
from streams.flink_jobs import engagement, story_views, trending
from streams.flink_jobs.catalogue import JOBS, group_of
from streams.flink_jobs.main import configuration
from streams.flink_jobs.recomputing import Recomputation, result_columns
from streams.flink_jobs.tables import Reading, reading_ddl, table_name


def recomputed(table: TableEnvironment, plan: Recomputation, settings: Settings) -> str:
    """Make the views of a bounded run; the query that gives the fields of the event that the job tells."""
    job = JOBS[plan.job]
    until = {(end.topic, end.partition): end.offset for end in plan.ends}
    flink = settings.flink
    reading = Reading(
        settings.kafka, settings.registry, group_of(plan.job), flink.lateness_ms, flink.idle_ms, until=until
    )
    everything: tuple[type[Event], ...] = (*job.reads, EventCameLate)
    for event in everything:
        table.execute_sql(reading_ddl(event, reading))
    kept = []
    for event in job.reads:
        kept.append(f"{table_name(event)}_kept")
        table.execute_sql(f"CREATE TEMPORARY VIEW `{kept[-1]}` AS\n{_without_late(plan.job, event)}")
    results, found = _results(plan.job, kept, flink.lateness_ms)
    for statement in results:
        table.execute_sql(statement)
    return f"SELECT {', '.join(f'`{name}`' for name in result_columns(plan.job))} FROM `{found}`"


def _results(job: str, kept: Sequence[str], lateness_ms: int) -> tuple[Sequence[str], str]:
    match job:
        case trending.NAME:
            return trending.results(kept[0]), trending.RANKED
        case engagement.NAME:
            return engagement.results(kept[0], kept[1], lateness_ms), engagement.FEATURES
        case _:
            return story_views.totals(kept[0]), story_views.TOTALS


def _without_late(job: str, event: type[Event]) -> str:
    late = table_name(EventCameLate)
    topic = SCHEMAS[event].topic.name
    return f"""SELECT * FROM `{table_name(event)}` AS `all` WHERE NOT EXISTS (
  SELECT 1 FROM `{late}` AS `late`
  WHERE `late`.`job` = '{job}' AND `late`.`source_topic` = '{topic}'
    AND `late`.`source_partition` = `all`.`record_partition` AND `late`.`source_offset` = `all`.`record_offset`
)"""


def main(arguments: Sequence[str]) -> None:
    """Run a plan and write its results down."""
    plan_file, results_file = map(Path, arguments)
    plan = msgspec.json.decode(plan_file.read_bytes(), type=Recomputation)
    settings = load_settings()
    options = configuration(settings, {"pipeline.name": f"{plan.job}-recomputed"})
    table = TableEnvironment.create(
        EnvironmentSettings.new_instance().in_batch_mode().with_configuration(options).build()
    )
    query = recomputed(table, plan, settings)
    # By Arrow: row by row, Python's bridge to Java takes milliseconds for each.
    found = table.sql_query(query).to_pandas()
    with results_file.open("wb") as results:
        for fields in found.to_dict("records"):
            results.write(msgspec.json.encode(fields) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
