"""The website room: what it declares to the composition root and to the examiner."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shipworthy.contract.manifest import Budget, Journey, NamedLoad, Publishing, Sample, Slo, Step, Table
from shipworthy.kernel.language import mark
from shipworthy.kernel.room import NavItem, Room
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import Settings
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.domains.web import ROUTES as DOMAIN_ROUTES
from shipworthy.rooms.site.exchange.web import ROUTES as EXCHANGE_ROUTES
from shipworthy.rooms.site.flows import FLOWS
from shipworthy.rooms.site.forms.web import ROUTES as FORM_ROUTES
from shipworthy.rooms.site.jobs import JOBS
from shipworthy.rooms.site.lane import Lane
from shipworthy.rooms.site.menus.web import ROUTES as MENU_ROUTES
from shipworthy.rooms.site.permissions import PERMISSIONS
from shipworthy.rooms.site.redirects.web import ROUTES as REDIRECT_ROUTES
from shipworthy.rooms.site.seed import seed
from shipworthy.rooms.site.sites.web import ROUTES as SITE_ROUTES
from shipworthy.rooms.site.tree.api import ROUTES as TREE_ROUTES
from shipworthy.rooms.site.tree.screens import ROUTES as TREE_SCREEN_ROUTES
from shipworthy.rooms.site.tree.web import ROUTES as BIN_ROUTES
from shipworthy.rooms.site.visits.web import ROUTES as VISITS_ROUTES
from shipworthy.rooms.site.web import ROUTES

_FOLDER = Path(__file__).parent
_LANE, _TASKS = "site.lane", "site.tasks"


def _lane_of(runtime: Runtime) -> Lane:
    """Return the process's one lane. Only web processes ask for it, so only they listen."""
    if _LANE not in runtime.state:
        lane = runtime.state[_LANE] = Lane(runtime)
        runtime.state[_TASKS] = [
            asyncio.create_task(lane.listen_forever()),
            asyncio.create_task(lane.hits.write_down_forever()),
            asyncio.create_task(lane.crawled.write_down_forever()),
            asyncio.create_task(lane.visits.tally.write_down_forever()),
        ]
    found: Lane = runtime.state[_LANE]
    return found


async def _stop(runtime: Runtime) -> None:
    tasks = runtime.state.pop(_TASKS, ())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if tasks:
        await runtime.state[_LANE].hits.write_down()
        await runtime.state[_LANE].crawled.write_down()
        await runtime.state[_LANE].visits.tally.write_down()


def _slos(settings: Settings) -> tuple[Slo, ...]:
    return (
        Slo(
            name="page",
            quantile=0.95,
            threshold_ms=settings.slo.page_p95_ms,
            title=mark("A page's first byte"),
        ),
    )


def _budgets(settings: Settings) -> tuple[Budget, ...]:
    return (Budget(kind="page_bytes", bound=settings.budget.page_bytes, subject="/"),)


# Not the pages of the journey: the examiner edits, publishes and takes back what these find.
_NEWEST = "select page_id from page where status = '{}' and path not in ('/', '/contact') order by page_id desc limit 1"
# The demo's page with a picture: among those nobody takes back.
_PICTURE = (
    "select {} from page p join page_version v on v.tenant_id = p.tenant_id and v.page_id = p.page_id and v.version = p.version,"
    " jsonb_array_elements(v.blocks) as block where p.path = '/contact' and p.status = 'published' and block ->> 'type' = 'image' limit 1"
)
# What fills a tenant for plan checks is rows only: no file is behind them.
_FILED = "select {} from asset where slug not like 'volume-%' order by asset_id limit 1"
_REDIRECT = "select redirect_id from redirect where origin = 'manual' order by from_path {} limit 1"
_CLAIM = "select claim_id from domain_claim where verified_at is null and host not like '%.localhost' order by host {} limit 1"
_MESSAGE = "select message_id from message order by received_at {} limit 1"
_IMPORT = "select import_id from site_import {} order by created_at desc, import_id desc limit 1"


ROOM = Room(
    name="site",
    folder=_FOLDER,
    queries=q,
    routes=(
        *ROUTES,
        *REDIRECT_ROUTES,
        *BIN_ROUTES,
        *TREE_ROUTES,
        *TREE_SCREEN_ROUTES,
        *MENU_ROUTES,
        *DOMAIN_ROUTES,
        *SITE_ROUTES,
        *VISITS_ROUTES,
        *FORM_ROUTES,
        *EXCHANGE_ROUTES,
    ),
    jobs=JOBS,
    nav=(
        NavItem(href="/pages", label="Website", icon="globe", section="pages"),
        NavItem(href="/messages", label="Messages", icon="inbox", section="messages"),
        NavItem(href="/visits", label="Visits", icon="eye", section="visits"),
    ),
    permissions=PERMISSIONS,
    tables=(
        *(Table(name=name, scope="tenant", column="tenant_id") for name in ("site", "page", "page_version")),
        Table(name="redirect", scope="tenant", column="tenant_id"),
        Table(name="page_render", scope="tenant", column="tenant_id"),
        *(
            Table(name=name, scope="tenant", column="tenant_id")
            for name in ("asset", "asset_use", "sitemap_part")
        ),
        Table(name="domain_claim", scope="tenant", column="tenant_id"),
        Table(name="menu_item", scope="tenant", column="tenant_id"),
        *(
            Table(name=name, scope="tenant", column="tenant_id")
            for name in ("site_import", "site_import_item", "site_export")
        ),
        Table(name="message", scope="tenant", column="tenant_id"),
        Table(name="visit_count", scope="tenant", column="tenant_id"),
        Table(name="site_domain", scope="realm", column="realm_id"),
    ),
    samples=(
        Sample(
            name="page_id",
            sql="select page_id from page where status <> 'deleted' order by page_id desc limit 1",
        ),
        Sample(name="draft_page_id", sql=_NEWEST.format("draft")),
        Sample(name="published_page_id", sql=_NEWEST.format("published")),
        Sample(
            name="page_version",
            sql="select version from page_version where page_id = (select page_id from page order by page_id desc limit 1)"
            " order by version limit 1",
        ),
        Sample(name="asset_id", sql=_FILED.format("asset_id")),
        Sample(name="picture_page_id", sql=_PICTURE.format("p.page_id")),
        Sample(name="picture_block", sql=_PICTURE.format("block ->> 'id'")),
        Sample(
            name="unused_asset_id",
            sql="select asset_id from asset a where not exists (select from asset_use u where u.asset_id = a.asset_id) order by asset_id desc limit 1",
        ),
        Sample(name="binned_page_id", sql=_NEWEST.format("deleted")),
        Sample(name="redirect_id", sql=_REDIRECT.format("asc")),
        Sample(name="other_redirect_id", sql=_REDIRECT.format("desc")),
        Sample(name="site_id", sql="select site_id from site order by created_at desc, site_id desc limit 1"),
        Sample(name="claim_id", sql=_CLAIM.format("asc")),
        Sample(name="other_claim_id", sql=_CLAIM.format("desc")),
        Sample(
            name="given_claim_id",
            sql="select claim_id from domain_claim where host like '%.localhost' order by host limit 1",
        ),
        Sample(
            name="primary_host",
            sql="select host from site_domain where tenant_id = my_tenant() and role = 'primary' order by host limit 1",
        ),
        Sample(name="menu", sql="select 'footer'"),
        Sample(name="import_id", sql=_IMPORT.format("")),
        Sample(name="read_import_id", sql=_IMPORT.format("where file_name = 'Guides.zip'")),
        Sample(name="taken_import_id", sql=_IMPORT.format("where file_name = 'Journal.zip'")),
        Sample(name="over_import_id", sql=_IMPORT.format("where file_name like 'Over %'")),
        Sample(name="message_id", sql=_MESSAGE.format("asc")),
        Sample(name="other_message_id", sql=_MESSAGE.format("desc")),
    ),
    slos=_slos,
    lane_slo="page",
    flows=FLOWS,
    journeys=(
        Journey(
            name="page",
            slo="page",
            rate_per_s=20.0,
            login=False,
            steps=(
                Step(method="GET", path="/", host="site", expect=(200,)),
                Step(method="GET", path="/contact", host="site", expect=(200,)),
            ),
        ),
    ),
    loads=(
        NamedLoad(
            kind="crawl",
            rate_per_s=2.0,
            slos={"page": "page"},
            host="site",
            publishing=Publishing(
                create="POST /api/pages",
                body={"title": "{mark}", "body": "{mark} stands here.", "in_menu": False},
                id="page_id",
                address="url",
                publish="POST /api/pages/{page_id}/publish",
                edit="PUT /api/pages/{page_id}",
                unpublish="POST /api/pages/{page_id}/unpublish",
            ),
        ),
    ),
    budgets=_budgets,
    personal=("author_name", "sender_name", "sender_email", "sender_phone", "message_text"),
    raw_lane=_lane_of,
    on_stop=_stop,
    seed=seed,
    volume_sql=(_FOLDER / "volume.sql").read_text(encoding="utf-8"),
)
