"""`traffic settings`: shows the settings and their sources, or applies `traffic.toml` to the stack."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from cli.command import Target, command
from cli.pager import paged
from cli.settings.local_settings import HOME, TOKEN, LocalSettings, local_settings, settings_folder
from cli.settings.settings_file import SETTINGS_FILE, Written, read_settings_file
from cli.stack.change_set import change_parameters
from cli.stack.deployment import Deployment, aws_deployment, show_exposed
from cli.stack.subscriptions import subscribe_command
from cli.terminal import CommandError, UsageError, inform, plain, say, table, warn
from traffic.settings import FILE_SETTINGS, Setting, WrongValueError, check_size

EXAMPLES = """examples:
  traffic settings                 this machine: each setting, its value, and its source
  traffic settings --path          the folder whose .env and traffic.toml every command reads
  traffic settings --aws           the values of the stack, beside those of traffic.toml
  traffic settings --aws --apply   change the stack to the values of traffic.toml

On this machine the environment wins over the files of the current folder, and these win over the files of the folder
that --path shows. In each folder .env wins over traffic.toml.
--apply reads only traffic.toml, in both folders. Settings that it does not name, and the token, stay as deployed.
"""

Row = tuple[str, str, str]


@command(EXAMPLES)
@click.option("--apply", "applied", is_flag=True, help=f"change the stack in AWS to the values of {SETTINGS_FILE}")
@click.option("--path", "path", is_flag=True, help="show the folder of the settings that every command reads")
def execute(target: Target, *, applied: bool, path: bool) -> int:
    """Show each setting and its source, or change the stack to the values of traffic.toml."""
    if path and (target.aws or applied):
        raise UsageError("--path shows a folder of this machine: leave --aws and --apply out.")
    if path:
        say(str(settings_folder(os.environ)))
        return 0
    if not target.aws:
        if applied:
            raise UsageError(
                "--apply changes the stack in AWS: add --aws. On this machine each command reads the settings itself."
            )
        settings = local_settings()
        with paged():
            table(("SETTING", "VALUE", "FROM"), local_rows(settings))
        show_exposed(settings)
        return 0
    files = [folder / SETTINGS_FILE for folder in (Path(), settings_folder(os.environ))]
    present = [file for file in files if file.exists()]
    if applied and not present:
        raise UsageError(f"There is neither {files[0].absolute()} nor {files[1]}: write one of them.")
    written: dict[str, Written] = {}
    for file in reversed(present):
        written |= read_settings_file(file)
    with aws_deployment(target) as deployment:
        if present:
            warn(f"Using {' and '.join(str(file.absolute()) for file in present)}.")
        if applied:
            apply(deployment, target.stack_name, written)
        else:
            compare(deployment, written)
    return 0


def local_rows(settings: LocalSettings) -> Iterator[Row]:
    """Return each setting with its value and source; for the token only whether it is set."""
    yield "token", "set, not shown" if settings.token else "", settings.sources[TOKEN]
    yield "home", str(settings.home), settings.sources[HOME]
    for each in FILE_SETTINGS:
        chosen = settings.chosen[each.key]
        yield each.key, chosen.value, chosen.source if each.local else f"{chosen.source} (for AWS only)"


def compare(deployment: Deployment, written: Mapping[str, Written]) -> None:
    """Print the values of the stack beside those of the file."""
    rows = [(each.key, *compared(each, deployment.parameters, written)) for each in FILE_SETTINGS]
    with paged():
        table(("SETTING", "DEPLOYED", SETTINGS_FILE.upper(), "COMPARED"), rows)
    differing = sum(row[3] == "differs" for row in rows)
    if differing:
        warn(f"{differing} differ: `traffic settings{deployment.options} --apply` changes the stack.")


def compared(setting: Setting, parameters: Mapping[str, str], written: Mapping[str, Written]) -> Row:
    """Return the value of the stack, the value of the file, and whether they are the same."""
    deployed = parameters.get(setting.parameter)
    if setting.key not in written:
        return deployed or "", "", "not in the file"
    wanted = written[setting.key].value
    if deployed is None:
        return "", wanted, "unknown to this version of the stack"
    return deployed, wanted, "same" if deployed == wanted else "differs"


def apply(deployment: Deployment, stack: str, written: Mapping[str, Written]) -> None:
    """Change the stack's parameters to the values of the file, and report what changed.

    Raises:
        CommandError: The stack has no such parameter, or CloudFormation refuses the change, or it failed.
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
        raise CommandError(f"Together with the values of the stack, {exc}. Nothing was changed.") from exc
    changed = {name: value for name, value in wanted.items() if parameters[name] != value}
    if changed:
        inform(f"Changing {', '.join(changed)} of the stack in {deployment.place} ...")
    if not changed or not change_parameters(deployment.client("cloudformation"), stack, parameters, changed):
        say(f"Nothing to change: the stack in {deployment.place} has the values of {SETTINGS_FILE} already.")
        return
    for each in named:
        if each.parameter in changed:
            old, new = (plain(value) or "(empty)" for value in (parameters[each.parameter], changed[each.parameter]))
            say(f"Changed {each.key}: {old} -> {new}")
    if email := changed.get("SummaryEmail"):
        command_ = subscribe_command(deployment, email)
        say(f"No mail comes before {email} is confirmed: {command_} does that; do not click AWS's link.")
