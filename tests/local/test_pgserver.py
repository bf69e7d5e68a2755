"""The address a server hands out. Launching and shutting down: test_postgres.py."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from shipworthy.local.postgres import PostgresAddress
from tests.support.postgres import run_sql

_ADDRESS = PostgresAddress(host="127.0.0.1", port=5, superuser="postgres", password="p@:/ s", pid=1)


def test_the_url_of_the_superuser_carries_the_password_escaped() -> None:
    parts = urlsplit(_ADDRESS.url())
    assert (parts.hostname, parts.port, parts.path, parts.username) == (
        "127.0.0.1",
        5,
        "/postgres",
        "postgres",
    )
    assert unquote(parts.password or "") == "p@:/ s"


def test_the_url_of_another_role_never_carries_the_superusers_password() -> None:
    assert _ADDRESS.url("app", user="reader") == "postgresql://reader@127.0.0.1:5/app"
    assert _ADDRESS.url("app", user="reader", password="x/y") == "postgresql://reader:x%2Fy@127.0.0.1:5/app"


def test_the_url_of_a_running_cluster_is_one_psql_takes(cluster: PostgresAddress) -> None:
    assert run_sql(cluster, "select current_user, inet_server_port()") == f"postgres|{cluster.port}"
