import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, IgnoreMode, ILocalBundling
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).parent.parent
PACKAGES = ("lambdas", "traffic")  # the steps, and the domain that they share with the command line
KEPT = [f"!/{package}/{pattern}" for package in PACKAGES for pattern in ("", "**/", "**/*.py")]
REQUIREMENTS = "lambdas/requirements.txt"
RUNTIME = lambda_.Runtime.PYTHON_3_13


@jsii.implements(ILocalBundling)
class PipBundling:
    """Copies the functions' code and their wheels into one folder, without Docker."""

    def try_bundle(self, output_dir: str, _options: Any = None, **_unpacked: Any) -> bool:
        """Fill the asset's folder: `lambdas/`, `traffic/`, and the packages that `lambdas/requirements.txt` names.

        Returns:
            True: it never falls back to Docker.

        Raises:
            CalledProcessError: pip could not install a wheel; it printed the reason on standard error.
        """
        _copy_sources(Path(output_dir))
        _install_wheels(Path(output_dir))
        return True


def lambda_code() -> lambda_.Code:
    """Return the one asset that all functions share.

    Its hash is the hash of the sources. One of them is `requirements.txt`, which pins the wheels. So equal sources make
    an equal template, whatever else pip writes.
    """
    return lambda_.Code.from_asset(
        str(ROOT),
        asset_hash_type=AssetHashType.SOURCE,
        ignore_mode=IgnoreMode.GIT,
        exclude=["*", *KEPT, f"!/{REQUIREMENTS}"],
        bundling=BundlingOptions(image=RUNTIME.bundling_image, local=PipBundling()),
    )


def _copy_sources(target: Path) -> None:
    for source in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        copy = target / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _install_wheels(target: Path) -> None:
    # Platform "any" selects wheels in pure Python: the same zip runs on every architecture.
    options = ["--platform", "any", "--only-binary", ":all:", "--python-version", RUNTIME.name.removeprefix("python")]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"]
    where = ["--target", str(target), "--requirement", str(ROOT / REQUIREMENTS)]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, *options, *where], check=True)  # noqa: S603
    # Command-line scripts: their first line names this machine's Python.
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in target.glob("*.dist-info/RECORD"):
        record.unlink()  # only pip reads it, when it uninstalls; its hashes do not compress
