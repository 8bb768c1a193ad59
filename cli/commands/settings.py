"""`traffic settings`: which settings are in force, and where they come from; brings `traffic.toml` to the stack."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from cli.arguments import Target
from cli.command import command
from cli.settings.local_settings import HOME, TOKEN, LocalSettings
from cli.settings.settings_file import SETTINGS_FILE, Written, read_settings_file
from cli.stack.change_set import change_parameters
from cli.stack.deployment import Deployment, aws_deployment
from cli.stack.opening import local_settings
from cli.stack.subscriptions import subscribe_command
from cli.terminal import CommandError, UsageError, plain, say, table, warn
from traffic.settings import FILE_SETTINGS, Setting, WrongValueError, check_size

EXAMPLES = """examples:
  traffic settings                 this machine: each setting, its value, and where it comes from
  traffic settings --aws           what the stack has, beside what traffic.toml wants
  traffic settings --aws --apply   change the stack to what traffic.toml wants

On this machine the environment wins over .env, and that over traffic.toml; every command reads them.
--apply takes traffic.toml alone. What it does not name, and the token, stay as they are deployed.
"""

Row = tuple[str, str, str]


@command(EXAMPLES)
@click.option("--apply", "applied", is_flag=True, help=f"change the stack in AWS to what {SETTINGS_FILE} wants")
def execute(target: Target, *, applied: bool) -> int:
    """Show each setting and where it comes from, or change the stack to what traffic.toml wants."""
    if not target.aws:
        if applied:
            raise UsageError(
                "--apply changes the stack in AWS: add --aws. Here each command reads the settings itself."
            )
        table(("SETTING", "VALUE", "FROM"), local_rows(local_settings()))
        return 0
    file = Path(SETTINGS_FILE)
    if applied and not file.exists():
        raise UsageError(f"There is no {file} in {Path.cwd()}: write one, or go to the folder where it is.")
    written = read_settings_file(file) if file.exists() else {}
    with aws_deployment(target) as deployment:
        if applied:
            apply(deployment, target.stack_name, written)
        else:
            compare(deployment, written)
    return 0


def local_rows(settings: LocalSettings) -> Iterator[Row]:
    """Say of each setting what it is and where it comes from; of the token only whether it is set."""
    yield "token", "set, not shown" if settings.token else "", settings.sources[TOKEN]
    yield "home", str(settings.home), settings.sources[HOME]
    for each in FILE_SETTINGS:
        chosen = settings.chosen[each.key]
        yield each.key, chosen.value, chosen.source if each.local else f"{chosen.source} (for AWS only)"


def compare(deployment: Deployment, written: Mapping[str, Written]) -> None:
    """Print what the stack has beside what the file wants."""
    rows = [(each.key, *compared(each, deployment.parameters, written)) for each in FILE_SETTINGS]
    table(("SETTING", "DEPLOYED", SETTINGS_FILE.upper(), "COMPARED"), rows)
    differing = sum(row[3] == "differs" for row in rows)
    if differing:
        warn(f"{differing} differ: `traffic settings{deployment.options} --apply` changes the stack.")


def compared(setting: Setting, parameters: Mapping[str, str], written: Mapping[str, Written]) -> Row:
    """Say what the stack has, what the file wants, and whether that is the same."""
    deployed = parameters.get(setting.parameter)
    if setting.key not in written:
        return deployed or "", "", "not in the file"
    wanted = written[setting.key].value
    if deployed is None:
        return "", wanted, "unknown to this version of the stack"
    return deployed, wanted, "same" if deployed == wanted else "differs"


def apply(deployment: Deployment, stack: str, written: Mapping[str, Written]) -> None:
    """Change the stack's parameters to what the file wants, and say what changed.

    Raises:
        CommandError: The stack has no such parameter, or CloudFormation refuses or fails.
    """
    parameters = deployment.parameters
    named = [each for each in FILE_SETTINGS if each.key in written]
    unknown = [each.parameter for each in named if each.parameter not in parameters]
    if unknown:
        raise CommandError(
            f"The stack in {deployment.place} has no parameter {', '.join(unknown)}: "
            "deploy this version of the stack, then try again."
        )
    wanted = {each.parameter: written[each.key].value for each in named}
    try:
        check_size({**parameters, **wanted})
    except WrongValueError as exc:
        raise CommandError(f"Together with what the stack has, {exc}. Nothing was changed.") from exc
    changed = {name: value for name, value in wanted.items() if parameters[name] != value}
    if changed:
        say(f"Changing {', '.join(changed)} of the stack in {deployment.place} ...")
    if not changed or not change_parameters(deployment.client("cloudformation"), stack, parameters, changed):
        say(f"Nothing to change: the stack in {deployment.place} has what {SETTINGS_FILE} wants.")
        return
    for each in named:
        if each.parameter in changed:
            old, new = (plain(value) or "(empty)" for value in (parameters[each.parameter], changed[each.parameter]))
            say(f"Changed {each.key}: {old} -> {new}")
    if email := changed.get("SummaryEmail"):
        command_ = subscribe_command(deployment, email)
        say(f"No mail comes before {email} is confirmed: {command_} does that; do not click AWS's link.")
