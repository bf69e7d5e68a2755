"""Policy expressions, as pg_get_expr prints them: what scopes rows and what only looks so."""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.probes.policies import ScopeRule

RULE = ScopeRule(column="tenant_id", setting="app.tenant_id", helpers={"my_tenant": "s", "whose": "v"})
SETTING = "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid"


@pytest.mark.parametrize(
    "expression",
    [
        f'(tenant_id = ( SELECT {SETTING} AS "nullif"))',
        f"(tenant_id = {SETTING})",
        f"({SETTING} = tenant_id)",
        "(tenant_id = my_tenant())",
        f"((tenant_id = {SETTING}) AND (deleted_at IS NOT NULL))",
    ],
)
def test_an_expression_that_compares_the_column_with_the_setting_holds(expression: str) -> None:
    assert RULE.fault(expression) == ""


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("true", "true for every row"),
        (f"((tenant_id = {SETTING}) OR is_public)", "has an OR"),
        (f"((tenant_id = {SETTING}) OR (tenant_id IS NULL))", "has an OR"),
        ("(tenant_id = COALESCE(my_tenant(), tenant_id))", "COALESCE"),
        (f"(NOT (tenant_id = {SETTING}))", "negated"),
        (f"((tenant_id)::text ~~ {SETTING})", "pattern"),
        (f"(owner_id = {SETTING})", "does not compare tenant_id"),
        (f"(other_tenant_id = {SETTING})", "does not compare tenant_id"),
        ("(tenant_id = (current_setting('app.realm_id'::text, true))::uuid)", "does not read app.tenant_id"),
        ("(tenant_id = whose())", "VOLATILE"),
        ("CASE WHEN true THEN (tenant_id = my_tenant()) END", "CASE"),
    ],
)
def test_an_expression_that_lets_more_through_says_what_is_wrong(expression: str, words: str) -> None:
    assert words in RULE.fault(expression)
