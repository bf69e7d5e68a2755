"""What a database holds, table by table: for operators, past row security."""

from __future__ import annotations

from shipworthy.kernel.db.tx import connect_admin


async def table_rows(admin_url: str) -> dict[str, int]:
    """Return how many rows every table has, all counted at one moment.

    Cost:    reads every table once.
    """
    connection = await connect_admin(admin_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            names = await connection.fetch(
                "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname"
            )
            return {
                row["relname"]: await connection.fetchval(f'select count(*) from "{row["relname"]}"')  # noqa: S608
                for row in names
            }
    finally:
        await connection.close()
