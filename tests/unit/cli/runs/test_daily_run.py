"""Promise: what `traffic start --unit` prints can be installed as it is, and then captures every day that it can."""

import configparser
import os
import plistlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cli.commands.start import CHOICES
from cli.main import main

# systemd, cron, XML and the shell each treat some of these characters specially.
ODD = 'my 100% $HOME\'s "own" <folder>'
SPACED = "my 100% $HOME folder"  # systemd accepts it as part of a program's path

# A `traffic` that prints the text as the real one does, and notes how it was run.
PROGRAM = """#!/bin/sh
if [ "$1" = start ]; then cat "$(dirname "$0")/text-$3"; exit; fi
echo "$* XDG_DATA_HOME=$XDG_DATA_HOME" >>"$(dirname "$0")/ran"
pwd >"$(dirname "$0")/cwd"
exit $(cat "$(dirname "$0")/status")
"""


class Machine:
    """A home with a `traffic` in a folder with an odd name."""

    def __init__(self, home: Path, folder: str) -> None:
        self.home = home
        self.folder = home / folder
        self.folder.mkdir()
        (self.folder / "status").write_text("0")
        self.program("traffic", PROGRAM, self.folder)
        self.bin = home / "bin"
        self.bin.mkdir()

    def write(self, name: str, value: str) -> None:
        """Write a setting into the fixed place."""
        file = self.home / ".config" / "github-traffic-capture" / ".env"
        file.parent.mkdir(parents=True, exist_ok=True)
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        with file.open("a") as text:
            text.write(f"{name}='{escaped}'\n")
        file.chmod(0o600)

    def program(self, name: str, text: str, folder: Path | None = None) -> None:
        """Write a program; without a folder, one of those that the shell finds."""
        file = (folder or self.bin) / name
        file.write_text(text)
        file.chmod(0o755)

    def shell(self, command: str) -> str:
        """Run a command line as cron and terminals do, and return what it prints."""
        path = f"{self.bin}:{os.environ['PATH']}"
        done = subprocess.run(  # noqa: S603 - the program's own text
            ["/bin/sh", "-c", command],
            env={"HOME": str(self.home), "PATH": path},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout

    @property
    def ran(self) -> list[str]:
        """How `traffic` was run."""
        file = self.folder / "ran"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine, on which this program is installed."""
    made = Machine(tmp_path, getattr(request, "param", ODD))
    monkeypatch.setattr(sys, "executable", str(made.folder / "python"))
    monkeypatch.setenv("HOME", str(tmp_path))
    made.write("TRAFFIC_HOME", str(made.folder / "histories"))
    made.write("TRAFFIC_RUN_HOUR", "11")
    made.write("GITHUB_TOKEN", "github_pat_planted")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("cli.commands.start.deployed", None)  # nothing is started
    monkeypatch.chdir(tmp_path)
    return made


def printed(machine: Machine, manager: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command prints, and let the machine's `traffic` print it, too."""
    assert main(["start", "--unit", manager]) == 0
    text, warnings = capsys.readouterr()
    assert warnings == ""
    (machine.folder / f"text-{manager}").write_text(text)
    return text


def documented(text: str) -> str:
    """Return the commands in the first comment."""
    return "\n".join(re.findall(r"^(?:# )?  (\S.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("machine", [ODD, SPACED], indirect=True)
def test_the_commands_in_the_comment_install_units_that_systemd_accepts(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Systemd's own check finds the program, so that the quotes are right; a run missed while off is made up for."""
    machine.program("systemctl", '#!/bin/sh\necho "$*"\n')

    asked = machine.shell(documented(printed(machine, "systemd", capsys)))

    assert asked.splitlines() == ["--user daemon-reload", "--user enable --now github-traffic-capture.timer"]
    units = machine.home / ".config" / "systemd" / "user"
    names = ["github-traffic-capture.service", "github-traffic-capture.timer"]
    assert sorted(path.name for path in units.iterdir()) == names
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(units / names[1])
    assert dict(parsed["Timer"]) == {"OnCalendar": "*-*-* 11:00:00 UTC", "Persistent": "true"}
    assert complaints(machine, [units / name for name in names]) == []


def complaints(machine: Machine, units: list[Path]) -> list[str]:
    """Return what systemd's own check finds wrong in units, if there is such a check here."""
    checker = shutil.which("systemd-analyze")
    if checker is None:
        return []
    done = subprocess.run(  # noqa: S603 - systemd's own program
        [checker, "--user", "verify", *units],
        env={"HOME": str(machine.home), "XDG_RUNTIME_DIR": str(machine.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stderr.splitlines() if "github-traffic" in line]


@pytest.fixture
def in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is five and a half hours ahead."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_india")
def test_launchd_gets_a_property_list_in_local_time(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Launchd knows no other time. It makes up for sleep; RunAtLoad makes up for a machine that was off."""
    text = printed(machine, "launchd", capsys)

    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == [str(machine.folder / "traffic"), "run"]
    assert agent["StartCalendarInterval"] == {"Hour": 16, "Minute": 30}
    assert agent["RunAtLoad"] is True
    log = str(machine.home / "Library" / "Logs" / "github-traffic-capture.log")
    assert (agent["StandardOutPath"], agent["StandardErrorPath"]) == (log, log)
    assert text.splitlines()[1] == "<!--"
    assert "16:30 is 11:00 UTC" in text


def test_the_command_in_the_comment_installs_the_property_list(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new user types what is written there."""
    machine.program("launchctl", '#!/bin/sh\necho "$*"\n')
    user = os.getuid()

    asked = machine.shell(documented(printed(machine, "launchd", capsys)))

    file = machine.home / "Library" / "LaunchAgents" / "github-traffic-capture.plist"
    assert asked == f"bootstrap gui/{user} {file}\n"


def cron_line(text: str) -> tuple[list[str], str]:
    """Return the five fields of the one line for cron, and its command as cron passes it to the shell."""
    (line,) = (each for each in text.splitlines() if not each.startswith("#"))
    *fields, command = line.split(maxsplit=5)
    assert not re.search(r"(?<!\\)%", command), "a bare percent sign ends the command"
    return fields, command.replace(r"\%", "%")


def test_cron_captures_once_a_day_and_makes_up_for_a_missed_or_failed_run(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cron never repeats what it misses, so its line starts every hour, and does nothing if the day is captured."""
    fields, command = cron_line(printed(machine, "cron", capsys))
    (machine.folder / "histories").mkdir()
    (machine.folder / "status").write_text("1")

    machine.shell(command)
    (machine.folder / "status").write_text("0")
    for _ in range(3):
        machine.shell(command)
    machine.program("date", "#!/bin/sh\necho the next day\n")
    machine.shell(command)

    assert fields == ["5", "*", "*", "*", "*"]
    assert len(machine.ran) == 3  # failed, then captured; and the next day


def test_the_day_of_cron_begins_at_the_hour_of_the_daily_run(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub publishes a day's numbers between 05:00 and 07:00 UTC: a day from midnight would be captured too early."""
    _, command = cron_line(printed(machine, "cron", capsys))
    machine.program("date", '#!/bin/sh\necho "$TZ $1" >"$HOME/asked"\n')

    machine.shell(command)

    assert (machine.home / "asked").read_text() == "UTC11 +%F\n"


def test_the_command_in_the_comment_adds_the_line_to_the_crontab(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was in the crontab stays."""
    machine.program("crontab", '#!/bin/sh\nif [ "$1" = -l ]; then echo "0 0 * * * other"; else cat; fi\n')
    text = printed(machine, "cron", capsys)

    assert machine.shell(documented(text)) == f"0 0 * * * other\n{text}"


@pytest.mark.parametrize("manager", CHOICES)
def test_no_token_is_printed_and_nothing_depends_on_the_folder(
    manager: str, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file may be readable by others, and service managers run it in another folder."""
    text = printed(machine, manager, capsys)

    assert "github_pat_planted" not in text
    assert len(text.splitlines()) > 3


@pytest.mark.parametrize("manager", CHOICES)
def test_the_run_reads_no_files_of_another_folder(
    manager: str, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cron and systemd start in the home, where another program may have its `.env`. launchd starts in /."""
    text = printed(machine, manager, capsys)

    if manager == "cron":
        (machine.folder / "histories").mkdir()
        machine.shell(f"cd ~; {cron_line(text)[1]}")
        assert (machine.folder / "cwd").read_text() == "/\n"
    else:
        assert ("\nWorkingDirectory=/\n" in text) is (manager == "systemd")


@pytest.mark.parametrize(
    ("variables", "warnings"),
    [
        ({"GITHUB_TOKEN": "github_pat_other"}, ["store the token with"]),
        ({"TRAFFIC_OWNERS": "octo", "TRAFFIC_HOME": "/elsewhere"}, ["put TRAFFIC_OWNERS, TRAFFIC_HOME there, too."]),
        ({"TRAFFIC_RUN_HOUR": "12"}, []),  # the file itself has the hour
    ],
)
def test_settings_that_the_daily_run_would_not_find_are_named(
    variables: Mapping[str, str],
    warnings: list[str],
    machine: Machine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token in the environment of this shell captures nothing tomorrow."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert main(["start", "--unit", "systemd"]) == 0

    printed, said = capsys.readouterr()
    place = machine.home / ".config" / "github-traffic-capture"
    assert [each in line for each, line in zip(warnings, said.splitlines(), strict=True)] == [True] * len(warnings)
    assert all(str(place) in line for line in said.splitlines())
    assert "github_pat" not in printed + said


def test_a_token_of_the_current_folder_has_to_be_moved(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`traffic token` replaces a token where it is, so it would not help."""
    monkeypatch.chdir(machine.folder)
    (machine.folder / ".env").write_text("GITHUB_TOKEN=github_pat_other\n")

    assert main(["start", "--unit", "cron"]) == 0

    place = machine.home / ".config" / "github-traffic-capture"
    assert capsys.readouterr().err == (
        f"The daily run reads only the files in {place}: move GITHUB_TOKEN from .env of this folder there.\n"
    )


def test_settings_of_the_stack_in_aws_do_not_concern_the_daily_run(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """This machine sends no mail."""
    Path("traffic.toml").write_text('summary-email = "you@example.com"\n')

    printed(machine, "systemd", capsys)


def test_a_machine_without_a_token_learns_it_before_the_first_night(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each daily run would fail."""
    (machine.home / ".config" / "github-traffic-capture" / ".env").unlink()

    assert main(["start", "--unit", "cron"]) == 0

    assert " token`" in capsys.readouterr().err


@pytest.mark.parametrize("manager", CHOICES)
def test_the_run_finds_settings_and_histories_in_folders_that_only_this_shell_knows(
    manager: str, machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager does not know the variables of a shell."""
    data = f"{machine.home}/$data"
    monkeypatch.setenv("XDG_DATA_HOME", data)
    text = printed(machine, manager, capsys)

    if manager == "cron":
        (machine.folder / "histories").mkdir()
        machine.shell(cron_line(text)[1])
        assert machine.ran == [f"run XDG_DATA_HOME={data}"]
    elif manager == "launchd":
        words = ["/usr/bin/env", f"XDG_DATA_HOME={data}", str(machine.folder / "traffic"), "run"]
        assert plistlib.loads(text.encode())["ProgramArguments"] == words
    else:
        assert f'ExecStart=/usr/bin/env "XDG_DATA_HOME={machine.home}/$$data" ' in text


def test_a_folder_that_no_file_can_name_is_refused(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break would end the command in the middle."""
    monkeypatch.setattr(sys, "executable", str(machine.home / "a\nb" / "python"))

    assert main(["start", "--unit", "cron"]) == 1

    assert "rename the folder" in capsys.readouterr().err
