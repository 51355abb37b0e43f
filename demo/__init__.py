"""A small made-up open source world, served over the upstreams' own protocols, and the truth about it."""


def connections(base_url: str) -> dict[str, str]:
    """The environment that points OpenImpact at a demo server.

    >>> connections("http://127.0.0.1:8000")["AIRFLOW_CONN_OSS_DIRECTORY"]
    'http://127.0.0.1:8000/oss-directory.tar.gz'
    """
    base = base_url.rstrip("/")
    host = base.partition("://")[2]
    return {
        "AIRFLOW_CONN_OSS_DIRECTORY": f"{base}/oss-directory.tar.gz",
        "AIRFLOW_CONN_GITHUB_ARCHIVE": f"{base}/archive,{base}/archive2",
        "AIRFLOW_CONN_NPM": f"{base}/npm?per_minute=60000",
        "AIRFLOW_CONN_NPM_REGISTRY": f"{base}/npm-registry?per_minute=60000",
        "AIRFLOW_CONN_ECB_RATES": f"{base}/eurofxref-hist.zip",
        "AIRFLOW_CONN_OPEN_COLLECTIVE": f"http://:demo-token@{host}/open-collective/graphql/v2",
        "AIRFLOW_CONN_EVM_RPC": f"{base}/rpc/mainnet#mainnet&traces=on,{base}/rpc/optimism#optimism&traces=on,{base}/rpc2/optimism#optimism",
        "AIRFLOW_CONN_GOOGLE_CLOUD": base.replace("://", "://demo-project@"),
        "AIRFLOW_CONN_GITHUB_API": f"http://:demo-token@{host}/github",
    }
