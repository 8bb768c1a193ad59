"""What systemd, launchd or cron need to run `traffic run` every day on this machine: texts for a person to install."""

import plistlib
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cli.terminal import CommandError

NAME = "github-traffic-capture"

# These decide where settings and histories are, so no settings file can hold them.
FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME")

SPLIT = f"awk '/^# {NAME}[.]/ {{ file = $2 }} file {{ print > file }}'"


def daily_command(environment: Mapping[str, str]) -> list[str]:
    """Return the words of the command that captures once. They hold no setting and no token.

    All files run it in `/`, so that it reads the settings of the fixed place, and no `.env` of another program.

    Raises:
        CommandError: A path has a character that would end a line of the file.
    """
    folders = [f"{name}={environment[name]}" for name in FOLDERS if Path(environment.get(name, "")).is_absolute()]
    words = [*(["/usr/bin/env", *folders] if folders else []), str(Path(sys.executable).with_name("traffic")), "run"]
    for word in words:
        if not word.isprintable():
            raise CommandError(f"{word!r} cannot stand in the file: rename the folder, then try again.")
    return words


def systemd(command: Sequence[str], hour: int) -> str:
    """Return two unit files, one below the other. A `Persistent` timer makes up for a time when the machine was off.

    Source:
        https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html
    """
    # systemd refuses a program whose path contains quotes, and replaces variables in arguments, but not in the program.
    program, *arguments = ["/usr/bin/env", *command] if re.search(r"[\"'\\]", command[0]) else command
    line = " ".join([_quoted(program), *(_quoted(word).replace("$", "$$") for word in arguments)])
    return f"""\
# Captures the traffic of your GitHub repositories every day at {hour:02}:00 UTC, with systemd.
# These are two files for the folder ~/.config/systemd/user. The following commands write them there and enable them:
#   mkdir -p ~/.config/systemd/user
#   cd ~/.config/systemd/user
#   {_again(command, "systemd")} | {SPLIT}
#   systemctl --user daemon-reload
#   systemctl --user enable --now {NAME}.timer
# If the machine sleeps or is off at that time, the run starts when you next use it. `loginctl enable-linger` lets it
# run while you are not logged in. `journalctl --user --unit {NAME}` shows what the runs printed.

# {NAME}.service
[Unit]
Description=Capture the traffic of GitHub repositories

[Service]
Type=oneshot
WorkingDirectory=/
ExecStart={line}

# {NAME}.timer
[Unit]
Description=Capture the traffic of GitHub repositories every day

[Timer]
OnCalendar=*-*-* {hour:02}:00:00 UTC
Persistent=true

[Install]
WantedBy=timers.target
"""


def launchd(command: Sequence[str], hour: int) -> str:
    """Return a property list. launchd makes up for sleep, and `RunAtLoad` for a machine that was off.

    Source:
        https://developer.apple.com/library/archive/documentation/MacOSX/Conceptual/BPSystemStartup/Chapters/ScheduledJobs.html
    """
    local = datetime.now(UTC).replace(hour=hour, minute=0).astimezone()
    log = str(Path.home() / "Library" / "Logs" / f"{NAME}.log")
    agent = {
        "Label": NAME,
        "ProgramArguments": list(command),
        "StartCalendarInterval": {"Hour": local.hour, "Minute": local.minute},
        "RunAtLoad": True,
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    # XML allows no two hyphens in a comment, so no option of a command can stand here.
    comment = f"""\
<!--
Captures the traffic of your GitHub repositories every day, with launchd.
Save this file as ~/Library/LaunchAgents/{NAME}.plist and enable it:
  launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/{NAME}.plist
launchd uses local time: {local:%H:%M} is {hour:02}:00 UTC today. An hour more or less in summer does no harm.
If the machine sleeps at that time, the run starts when it wakes. A run also starts now and whenever you log in.
~/Library/Logs/{NAME}.log shows what the runs printed.
-->
"""
    first, _, rest = plistlib.dumps(agent, sort_keys=False).decode().partition("\n")
    return f"{first}\n{comment}{rest}"


def cron(command: Sequence[str], hour: int, home: Path) -> str:
    """Return a line for a crontab. cron skips what it misses, so the line starts every hour until a run has succeeded.

    Args:
        command: The words of the command.
        hour: The hour of the daily run, in UTC.
        home: The folder of all local histories; a file in it holds the day of the last successful run.

    Source:
        https://pubs.opengroup.org/onlinepubs/9799919799/utilities/crontab.html (a percent sign ends the command)
        https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html (TZ=UTC9 is nine hours behind UTC)
    """
    done = shlex.quote(str(home / "cron-day"))
    today = f'day=$(TZ=UTC{hour} date +%F); test "$day" = "$(cat {done} 2>/dev/null)"'
    line = f'{today} || {{ cd / && {shlex.join(command)} >/dev/null && echo "$day" >{done}; }}'.replace("%", r"\%")
    return f"""\
# Captures the traffic of your GitHub repositories every day, with cron. This command adds it to your crontab:
#   (crontab -l 2>/dev/null; {_again(command, "cron")}) | crontab -
# cron starts nothing for the time when the machine sleeps or is off. So this line starts every hour, and captures only
# if no run has succeeded since {hour:02}:00 UTC. `traffic executions` shows the runs; cron mails you their errors.
5 * * * * {line}
"""


def _again(command: Sequence[str], manager: str) -> str:
    return f"{shlex.quote(command[-2])} start --unit {manager}"


def _quoted(word: str) -> str:
    """Quote a word of a command as systemd reads it; `%` begins a specifier.

    Source:
        https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html (command lines)
    """
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return word if re.fullmatch(r"[\w@+=:,./-]+", word) else f'"{escaped}"'
