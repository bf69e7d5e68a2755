"""`shipworthy completion`: commands and options by the Tab key."""

from __future__ import annotations

import click

_VARIABLE = "_SHIPWORTHY_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that lets SHELL complete commands and options.

    \b
    Example:  eval "$(shipworthy completion bash)"                  # in ~/.bashrc; zsh likewise, in ~/.zshrc
              shipworthy completion fish > ~/.config/fish/completions/shipworthy.fish
    """
    from click.shell_completion import get_completion_class

    from shipworthy.cli.main import group

    kind = get_completion_class(shell)
    assert kind is not None, "click knows the three shells that the argument takes"
    click.echo(kind(group, {}, "shipworthy", _VARIABLE).source())
