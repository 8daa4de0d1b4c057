"""The ``aimesh`` command: one line per command, the work is in the files beside this one.

Exit codes: 0 done, 1 it did not work (the reason is on stderr), 2 the command line is wrong.
"""

import typer

from aimesh import __version__
from aimesh.cli import (
    alerts,
    audit,
    credentials,
    demo,
    discounts,
    inspect,
    journal,
    keys,
    master_key,
    members,
    models,
    price,
    providers,
    quota,
    reconcile,
    reprice,
    serve,
    tenants,
    tokens,
    usage,
    usage_report,
)
from aimesh.cli.connect import command

_RUN = "Run"
_MANAGE = "Manage a gateway"
_LOOK = "Look"

app = typer.Typer(
    name="aimesh",
    help="One address and one key for every model of every vendor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command(rich_help_panel=_RUN)(demo.demo)
app.command(rich_help_panel=_RUN)(serve.serve)
app.command(rich_help_panel=_RUN)(serve.simulate)
app.command(rich_help_panel=_LOOK)(inspect.check_config)
command(app, "models", panel=_LOOK, is_local=True)(inspect.models)
app.command(rich_help_panel=_LOOK)(inspect.examples)
app.add_typer(usage.app, name="usage", rich_help_panel=_LOOK)
command(usage.app)(usage_report.report)
command(usage.app)(usage_report.calls)
command(usage.app)(usage_report.show)
command(usage.app)(usage_report.export)
command(usage.app)(reprice.reprice)
command(usage.app, is_local=True)(reconcile.reconcile)
app.add_typer(journal.app, name="journal", rich_help_panel=_LOOK)
app.add_typer(keys.app, name="key", rich_help_panel=_MANAGE)
command(app, "quota", panel=_MANAGE)(quota.quota)
app.add_typer(models.app, name="model", rich_help_panel=_MANAGE)
app.add_typer(providers.app, name="provider", rich_help_panel=_MANAGE)
app.add_typer(credentials.byok, name="byok", rich_help_panel=_MANAGE)
app.add_typer(credentials.credential, name="credential", rich_help_panel=_MANAGE)
app.add_typer(price.app, name="price", rich_help_panel=_MANAGE)
app.add_typer(discounts.app, name="discount", rich_help_panel=_MANAGE)
app.add_typer(members.app, name="member", rich_help_panel=_MANAGE)
app.add_typer(tenants.app, name="tenant", rich_help_panel=_MANAGE)
app.add_typer(tokens.app, name="token", rich_help_panel=_MANAGE)
app.add_typer(alerts.app, name="alert", rich_help_panel=_MANAGE)
app.add_typer(audit.app, name="audit", rich_help_panel=_MANAGE)
app.add_typer(master_key.app, name="master-key", rich_help_panel=_MANAGE)


@app.command(rich_help_panel=_LOOK)
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
