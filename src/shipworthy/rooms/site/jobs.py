"""The room's jobs."""

from __future__ import annotations

from shipworthy.kernel.queue.job import JobKind
from shipworthy.rooms.site.assets.forms import discard, make_variants
from shipworthy.rooms.site.assets.library import DISCARD_JOB, VARIANTS_JOB
from shipworthy.rooms.site.cards.keep import CARD_JOB, make_card
from shipworthy.rooms.site.changes import SITEMAP_JOB
from shipworthy.rooms.site.exchange.book import DROP_JOB, READ_JOB, TAKE_JOB, UNDO_JOB, drop_file
from shipworthy.rooms.site.exchange.reading import read_import
from shipworthy.rooms.site.exchange.saving import EXPORT_DROP_JOB, EXPORT_JOB, drop_export, make_export
from shipworthy.rooms.site.exchange.taking import take_some
from shipworthy.rooms.site.exchange.undoing import undo_some
from shipworthy.rooms.site.forms.mails import MAIL_JOB, send_mail
from shipworthy.rooms.site.schedule.plan import SCHEDULE_JOB, carry_out
from shipworthy.rooms.site.sitemap import make_sitemap
from shipworthy.rooms.site.telling.cdn import PURGE_JOB, purge
from shipworthy.rooms.site.telling.indexnow import INDEXNOW_JOB, tell_search_engines

JOBS = (
    JobKind(
        kind=SITEMAP_JOB,
        handler=make_sitemap,
        title="Make the sitemap of a site",
        timeout_s=60.0,
        writes="page_render",
        triggered_by="POST /api/pages/{page_id}/publish",
    ),
    JobKind(
        kind=SCHEDULE_JOB,
        handler=carry_out,
        title="Publish or unpublish a page when its time has come",
        attempts_max=1_000,  # a day of trying: what was promised for a time is done late rather than never
        triggered_by="PUT /api/pages/{page_id}/plan",
    ),
    JobKind(
        kind=VARIANTS_JOB,
        handler=make_variants,
        title="Make every form of a picture",
        timeout_s=120.0,
        triggered_by="POST /api/assets",
    ),
    JobKind(
        kind=CARD_JOB,
        handler=make_card,
        title="Draw the picture that stands for a page where it is shared",
        triggered_by="POST /api/pages/{page_id}/publish",
    ),
    JobKind(
        kind=DISCARD_JOB,
        handler=discard,
        title="Delete the files of a picture that was thrown away",
        timeout_s=60.0,
        triggered_by="DELETE /api/assets/{asset_id}",
    ),
    JobKind(
        kind=PURGE_JOB,
        handler=purge,
        title="Tell the CDN what changed",
        attempts_max=10,  # about eight minutes; after that `shared_max_age_s` has passed anyway
        triggered_by="POST /api/pages/{page_id}/publish",
    ),
    JobKind(
        kind=INDEXNOW_JOB,
        handler=tell_search_engines,
        title="Tell search engines of a page",
        attempts_max=10,
        triggered_by="POST /api/pages/{page_id}/publish",
    ),
    JobKind(
        kind=MAIL_JOB,
        handler=send_mail,
        title="Say by mail that a visitor sent a message",
        attempts_max=10,
        meter="mails",
    ),
    JobKind(
        kind=READ_JOB,
        handler=read_import,
        title="Look through a website's file",
        timeout_s=300.0,
        writes="site_import_item",
        triggered_by="POST /api/imports",
    ),
    JobKind(
        kind=TAKE_JOB,
        handler=take_some,
        title="Take in some of what an import holds",
        timeout_s=120.0,
        triggered_by="POST /api/imports/{import_id}/take",
    ),
    JobKind(
        kind=UNDO_JOB,
        handler=undo_some,
        title="Take out some of what an import brought",
        timeout_s=120.0,
        triggered_by="POST /api/imports/{import_id}/undo",
    ),
    JobKind(
        kind=DROP_JOB,
        handler=drop_file,
        title="Delete the file of an import that is over",
        triggered_by="DELETE /api/imports/{import_id}",
    ),
    JobKind(
        kind=EXPORT_JOB,
        handler=make_export,
        title="Save a whole website as one archive",
        timeout_s=600.0,
        triggered_by="POST /api/site/export",
    ),
    JobKind(
        kind=EXPORT_DROP_JOB,
        handler=drop_export,
        title="Delete an archive that has another in its place",
        triggered_by="POST /api/site/export",
    ),
)
