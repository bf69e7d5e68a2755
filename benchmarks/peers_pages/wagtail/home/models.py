"""An article of blocks, as Wagtail's own tutorial makes one."""

from wagtail.blocks import CharBlock, TextBlock
from wagtail.fields import StreamField
from wagtail.models import Page


class ArticlePage(Page):
    body = StreamField([("heading", CharBlock()), ("paragraph", TextBlock())])
