"""One engine in real time and one with short waits: starting functions takes seconds, so tests share them."""

import os
from collections.abc import Iterator

import pytest

from local import engine as local_engine
from tests.integration.pipeline import Pipeline, deployed_pipeline


@pytest.fixture(scope="session", autouse=True)
def _engine_without_a_cure() -> None:
    """Leave out the cure in UNCURED, which `local/test_each_cure.py` sets."""
    if "UNCURED" in os.environ:
        local_engine.LAUNCHER = "tests.integration.uncured_launcher"
        local_engine.INHERITED = (*local_engine.INHERITED, "UNCURED")


@pytest.fixture(scope="session")
def _pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline in real time."""
    with deployed_pipeline(tmp_path_factory.mktemp("pipeline") / "history") as deployed:
        yield deployed


@pytest.fixture(scope="session")
def _hasty_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline with waits of a fiftieth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAFFIC_WAIT_SCALE", "0.02")
        with deployed_pipeline(tmp_path_factory.mktemp("hasty") / "history") as deployed:
            yield deployed


@pytest.fixture
def pipeline(_pipeline: Pipeline) -> Pipeline:
    """The pipeline with empty tables, in real time: for waits that end at a time of GitHub."""
    _pipeline.forget()
    return _pipeline


@pytest.fixture
def hasty_pipeline(_hasty_pipeline: Pipeline) -> Pipeline:
    """The pipeline with empty tables and waits of a fiftieth: a minute takes about a second."""
    _hasty_pipeline.forget()
    return _hasty_pipeline
