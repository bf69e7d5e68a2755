"""`shipworthy describe`: the manifest."""

from __future__ import annotations

import json

import click


@click.command("describe")
@click.option("--json", "as_json", is_flag=True, help="The whole manifest as JSON: what the examiner reads.")
@click.option("--openapi", is_flag=True, help="The routes as an OpenAPI 3.1 document.")
def command(as_json: bool, openapi: bool) -> None:
    """Print what this app declares: routes, queries, jobs, objectives.

    \b
    Example:  shipworthy describe --json > manifest.json
              shipworthy describe --openapi > openapi.json
    """
    from shipworthy.cli.project import load_project
    from shipworthy.contract.strict import encode
    from shipworthy.kernel.describe import describe

    project = load_project()
    manifest = describe(project.settings, project.rooms)
    if openapi:
        from shipworthy.contract.openapi import openapi_of

        click.echo(json.dumps(openapi_of(manifest), indent=2))
        return
    if as_json:
        click.echo(json.dumps(encode(manifest), indent=2))
        return
    click.echo(f"{manifest.app}: rooms {', '.join(manifest.rooms)}")
    for route in manifest.routes:
        extra = " ".join(
            filter(None, [route.permission, "twice-is-once" if route.idempotency == "key" else "", route.slo])
        )
        click.echo(f"  {route.method:6} {route.path:48} {extra}")
    click.echo(
        f"{len(manifest.queries)} named queries, {len(manifest.jobs)} kinds of jobs, {len(manifest.slos)} objectives"
    )
