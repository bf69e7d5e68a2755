"""robots.txt is read as RFC 9309 says: groups, the longest match, wildcards, and what is no rule."""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.probes.robots_rules import read_robots

# The example of RFC 9309, 5.1.
EXAMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("token", "path", "allowed"),
    [
        ("anybot", "/", True),
        ("anybot", "/picture.gif", False),
        ("anybot", "/picture.gif?large", True),
        ("anybot", "/example/page.html", False),
        ("anybot", "/publications/a.gif", True),  # the longer pattern decides
        ("foobot", "/publications/", False),
        ("FooBot", "/example/page.html", True),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/", True),
        ("quxbot", "/picture.gif", True),  # a group of its own, without a rule
        ("foobot", "/robots.txt", True),
    ],
)
def test_the_rfcs_example_reads_as_it_says(token: str, path: str, allowed: bool) -> None:
    assert read_robots(EXAMPLE).allows(token, path) is allowed


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Disallow: /a\nAllow: /a", "/a", True),  # as long: the one that allows
        ("Disallow:", "/a", True),
        ("Disallow: /*.php$", "/index.php", False),
        ("Disallow: /*.php$", "/index.php5", True),
        ("Disallow: /a*b*c", "/axxbxxcxx", False),
        ("Disallow: /a*b$", "/ab/ab", False),
        ("Disallow: /$", "/", False),
        ("Disallow: /$", "/a", True),
        ("Disallow: /über", "/%c3%bcber", False),
        ("Disallow: /%61", "/a", False),
        ("Disallow: /a%2Fb", "/a/b", True),
        ("Disallow: /a # not this", "/a", False),
        ("Disallow: a", "/a", True),  # no path at all
    ],
)
def test_patterns_match_as_crawlers_do(rules: str, path: str, allowed: bool) -> None:
    assert read_robots(f"user-agent: *\r\n{rules}").allows("anybot", path) is allowed


def test_groups_of_one_crawler_are_one_and_other_lines_do_not_part_them() -> None:
    robots = read_robots(
        "\ufeffUser-agent: a\nDisallow: /x\n\nSitemap: https://s.example/one.xml\nUser-agent: b\n"
        "Crawl-delay: 3\nUser-agent: a/2.0\nDisallow: /y\n"
    )
    assert [robots.allows("a", path) for path in ("/x", "/y", "/z")] == [False, False, True]
    assert [robots.allows("b", path) for path in ("/x", "/y")] == [True, False]
    assert robots.sitemaps == ("https://s.example/one.xml",)
    assert robots.odd == ()


def test_what_no_crawler_understands_is_named_with_its_line() -> None:
    robots = read_robots("Disallow: /of-nobody\nUser-agent: *\nDisalow: /\n<html>\n")
    assert [number for number, _ in robots.odd] == [1, 3, 4]
    assert robots.allows("anybot", "/of-nobody")


def test_a_pattern_full_of_stars_takes_no_time() -> None:
    robots = read_robots(f"User-agent: *\nDisallow: /{'a*' * 200}b$\n")
    assert robots.allows("anybot", "/" + "a" * 2_000)
