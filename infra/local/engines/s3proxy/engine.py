"""s3proxy: an S3 server over a folder."""

from functools import partial

from infra.local.fetch import engine_folder
from infra.local.java import require_java
from infra.local.probes import s3_serves
from infra.local.spec import ProcessSpec, Site


def s3proxy(site: Site) -> ProcessSpec:
    """The object store of a stack."""
    access_key = site.environment["PHOTOLOG_S3__ACCESS_KEY"]
    secret_key = site.environment["PHOTOLOG_S3__SECRET_KEY"]
    config = site.config("s3proxy")
    endpoint = site.environment["PHOTOLOG_S3__ENDPOINT_URL"]
    return ProcessSpec(
        name="s3proxy",
        command=(
            str(require_java()),
            *("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            f"-Dlogback.configurationFile={config / 'logback.xml'}",
            *("-cp", f"{engine_folder('s3proxy')}/*"),
            *("org.gaul.s3proxy.Main", "--properties", str(config / "s3proxy.conf")),
        ),
        ready=partial(s3_serves, endpoint, access_key, secret_key, site.environment["PHOTOLOG_S3__REGION"]),
        port=site.ports["s3proxy"],
        prepare=partial(_prepare, site, access_key, secret_key),
    )


def _prepare(site: Site, access_key: str, secret_key: str) -> None:
    site.render("s3proxy", access_key=access_key, secret_key=secret_key)
    (site.data("s3proxy") / "buckets").mkdir(exist_ok=True)
