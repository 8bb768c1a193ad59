"""The complete pipeline on an engine whose calls to AWS can fail, and the outcome of each case."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import engine as local_engine
from simulated_github import SimulatedGitHub
from simulated_github.faults import server_error
from tests.faults.aws_faults import (
    DEATHS,
    DURATIONS,
    FUNCTION_MEMORY,
    FUNCTION_TIMEOUT,
    MACHINE,
    READ_TIMEOUT,
    SDK_TRIES,
    AwsCase,
)
from tests.faults.aws_proxy import Call, Proxies, proxies
from tests.faults.judgement import Outcome, claims_all, is_reported, kept_in, missing_names, truth_of
from tests.integration.pipeline import Pipeline, deployed_pipeline

AT = "2026-11-20T09:00:00Z"
REPOSITORIES = ["octo/docs", "octo/cli"]
WAIT_SCALE = "0.02"
TIMEOUT = 300  # seconds that functions have in AWS
WORKER = Path(__file__).parent / "aws_worker"


@dataclass(frozen=True)
class AwsPipeline:
    """The deployed stack, with a proxy before the engine for each function.

    Attributes:
        pipeline: The stack.
        proxies: The proxies of the functions' calls.
        functions: The functions' names in AWS, by the folder of their code.
    """

    pipeline: Pipeline
    proxies: Proxies
    functions: dict[str, str]

    def judge(self, case: AwsCase, side: str) -> Outcome:
        """Run once with the fault and once without it, and compare the tables with the truth."""
        self.pipeline.forget()
        hangs = "hang" in case.fault
        if hangs or case.call.service == "secretsmanager":  # a warm function has the token in its memory
            self.restart(case.call.function, FUNCTION_TIMEOUT if hangs else TIMEOUT)
        with SimulatedGitHub(repositories=REPOSITORIES, port=self.pipeline.port, at=AT) as github:
            disturb(github)
            truth = truth_of(github)
            self.break_call(case)
            try:
                disturbed = self.pipeline.run()
            finally:
                struck = self.mend(case)
                if hangs:
                    self.restart(case.call.function)
            missing = missing_names(truth, kept_in(self.pipeline))
            complete = not missing and claims_all(self.pipeline, disturbed, len(REPOSITORIES))
            reported = is_reported(self.pipeline, disturbed, missing, len(REPOSITORIES))
            undisturbed = self.pipeline.run()
        self.proxies.settle()  # hanging calls belong to this case, and must not arrive in the next one
        rows = kept_in(self.pipeline)
        assert undisturbed.status == "SUCCEEDED", f"{undisturbed.error}: {undisturbed.cause}"
        lost = sum(rows.get(key) != value for key, value in truth.items())
        duplicates = len(rows.keys() - truth.keys())
        errors = self.pipeline.errors(disturbed)
        return Outcome(side, str(case), struck, disturbed.status, complete, reported, lost, duplicates, errors)

    def warm_up(self) -> None:
        """Run once: the first start of engine, proxies and functions takes longer than hurried functions wait."""
        for function in self.functions:
            self.restart(function)
        with SimulatedGitHub(repositories=REPOSITORIES, port=self.pipeline.port, at=AT):
            execution = self.pipeline.run()
        assert execution.status == "SUCCEEDED", execution.cause

    def record(self) -> set[Call]:
        """Run once without a fault, with functions that start again, and return every kind of call."""
        self.pipeline.forget()
        for function in self.functions:
            self.restart(function)
        self.take_calls()
        with SimulatedGitHub(repositories=REPOSITORIES, port=self.pipeline.port, at=AT) as github:
            disturb(github)
            execution = self.pipeline.run()
        assert execution.status == "SUCCEEDED", execution.cause
        return self.take_calls()

    def take_calls(self) -> set[Call]:
        """Return the kinds of calls since the last time, and forget them."""
        noted = self.pipeline.engine.history / "integration-calls"
        lines = noted.read_text().splitlines() if noted.exists() else []
        noted.unlink(missing_ok=True)
        return {*self.proxies.take_calls(), *(self.integration(*line.split()) for line in lines)}

    def integration(self, service: str, operation: str, resource: str = "") -> Call:
        """Return the kind of one of the state machine's own calls."""
        folders = {name: folder for folder, name in self.functions.items()}
        return Call(MACHINE, service, operation, folders.get(resource, resource))

    def break_call(self, case: AwsCase) -> None:
        """Set the fault of a case."""
        times = DURATIONS[case.duration]
        if case.call.function != MACHINE:
            fault = {**case.fault, **({"times": times} if times else {})}
            for name, file in self.moods.items():
                if fault.pop(name, False):
                    file.touch()
            self.proxies.break_call(case.call, fault)
            return
        resource = self.functions.get(case.call.resource, case.call.resource)
        name = " ".join(filter(None, (case.call.service, case.call.operation, resource)))
        rule = {"call": name, "afterwards": False, "times": times or 1_000_000, **case.fault}
        self.fault_file.write_text(json.dumps(rule))

    def mend(self, case: AwsCase) -> int:
        """Remove the fault, and return how many calls it met."""
        if case.call.function != MACHINE:
            for file in self.moods.values():
                file.unlink(missing_ok=True)
            return self.proxies.mend()
        struck: int = json.loads(self.fault_file.read_text()).get("struck", 0)
        self.fault_file.unlink()
        return struck

    @property
    def fault_file(self) -> Path:
        """The file with the fault for the engine's hook."""
        return self.pipeline.engine.history / "integration-fault.json"

    @property
    def moods(self) -> dict[str, Path]:
        """The files that make functions end at a broken call, or wait only briefly."""
        moods = ("hurry", *(mood for mood, _ in DEATHS.values()))
        return {mood: self.pipeline.engine.history / f"functions-{mood}" for mood in moods}

    def restart(self, function: str, timeout: int = TIMEOUT) -> None:
        """Make a function start again at its next call, with this timeout in seconds."""
        client = self.pipeline.engine.client("lambda")
        name = self.functions[function]
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        ours = {
            "AWS_ENDPOINT_URL": self.proxies.urls[function],
            "PYTHONPATH": str(WORKER),
            "SDK_READ_TIMEOUT": str(READ_TIMEOUT / 1000),
            "AWS_MAX_ATTEMPTS": str(SDK_TRIES),
            "MOODS": str(self.pipeline.engine.history),
            "BELIEVED_TIMEOUT": str(TIMEOUT),
        }
        client.update_function_configuration(
            FunctionName=name,
            Environment={"Variables": {**variables, **ours}},
            Timeout=timeout,
            MemorySize=FUNCTION_MEMORY,
        )


def disturb(github: SimulatedGitHub) -> None:
    """Let GitHub fail once, so that the run also records a problem."""
    github.add_fault(server_error(502), repository=REPOSITORIES[1], endpoint="views", count=1)


@contextmanager
def breakable_pipeline(history: Path) -> Iterator[AwsPipeline]:
    """Deploy the real template to an engine with the hook, and a proxy for each function's calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAFFIC_WAIT_SCALE", WAIT_SCALE)
        patch.setattr(local_engine, "LAUNCHER", "tests.faults.aws_launcher")
        with deployed_pipeline(history) as pipeline:
            functions = functions_of(pipeline)
            with proxies(pipeline.engine.url, list(functions)) as served:
                breakable = AwsPipeline(pipeline, served, functions)
                breakable.warm_up()
                yield breakable


def functions_of(pipeline: Pipeline) -> dict[str, str]:
    """Return the names of the four functions, by the folders of their code."""
    listed: list[Any] = pipeline.engine.client("lambda").list_functions()["Functions"]
    return {
        each["Handler"].split(".")[1]: each["FunctionName"] for each in listed if each["Handler"].startswith("lambdas.")
    }
