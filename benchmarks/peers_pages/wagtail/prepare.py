"""Makes the database of the site: tables, the article and the pages of its menu, all published."""

import json
import os
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from home.models import ArticlePage  # noqa: E402
from wagtail.models import Page, Site  # noqa: E402

article = json.loads(Path("article.json").read_text(encoding="utf-8"))
call_command("makemigrations", "home", verbosity=0)
call_command("migrate", verbosity=0)


def blocks(told):
    return [(block["kind"], block["text"]) for block in told]


home = Page.objects.get(pk=Site.objects.get(is_default_site=True).root_page_id)
if not ArticlePage.objects.exists():
    for path, title in article["menu"]:
        page = ArticlePage(
            title=title, slug=path.strip("/"), body=blocks(article["blocks"][:2]), show_in_menus=True
        )
        home.add_child(instance=page)
    page = ArticlePage(
        title=article["title"],
        slug="article",
        search_description=article["description"],
        body=blocks(article["blocks"]),
    )
    home.add_child(instance=page)
