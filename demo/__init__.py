"""A small made-up open source world, served over the upstreams' own protocols, and the truth about it."""


def connections(base_url: str) -> dict[str, str]:
    """The environment that points OpenImpact at a demo server.

    >>> connections("http://127.0.0.1:8000")["AIRFLOW_CONN_OSS_DIRECTORY"]
    'http://127.0.0.1:8000/oss-directory.tar.gz'
    """
    base = base_url.rstrip("/")
    scheme, _, rest = base.partition("://")
    return {
        "AIRFLOW_CONN_OSS_DIRECTORY": f"{base}/oss-directory.tar.gz",
        "AIRFLOW_CONN_GITHUB_ARCHIVE": f"{base}/archive,{base}/archive2",
        "AIRFLOW_CONN_GITHUB_API": f"{scheme}://:demo-token@{rest}/github",
    }
