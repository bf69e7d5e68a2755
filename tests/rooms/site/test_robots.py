"""robots.txt tells every crawler that it may read, and the site's own host where the sitemap is."""

from __future__ import annotations

from shipworthy.rooms.site.robots import robots_txt


def test_only_the_sites_own_host_names_its_sitemap_and_no_host_forbids_reading() -> None:
    own = robots_txt(site_origin="https://acme.example", is_primary=True).decode()
    other = robots_txt(site_origin="https://acme.example", is_primary=False).decode()
    assert "Sitemap: https://acme.example/sitemap.xml\n" in own
    assert "Sitemap" not in other
    for text in (own, other):
        assert text.startswith("User-agent: *\nAllow: /\n")
        assert "Disallow" not in text
