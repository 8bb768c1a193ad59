"""Where ministack's Lambda differs from AWS: what an error of a function is called, and when its process is ended.

Python 3.12 and later are meant; older runtimes report less.
"""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

MARK = "\x00"  # before an error's name, on its way out of a function

AT_IMPORT = {  # what AWS's runtime calls the exceptions of a module that cannot be imported; others keep their name
    "ImportError": "Runtime.ImportModuleError",
    "ModuleNotFoundError": "Runtime.ImportModuleError",
    "SyntaxError": "Runtime.UserCodeSyntaxError",
}

TIMED_OUT = re.compile(r"Task timed out after \d+\.\d\d seconds")

WATCH_SECONDS = 0.02  # between two looks at a function's memory; a look takes 0.03 ms

MEGABYTE = 2**20


def name_lambda_errors() -> None:
    """Report a function's exception under its class name, so that `ErrorEquals` matches it, and keep the worker.

    ministack: every exception of a Python function is `Runtime.HandlerError`, and ends the process that raised it.
    AWS: `errorType` is the class name, and Step Functions takes it as the error's name; the next call finds the
    environment warm. Here, the worker reports success, with the exception as the result.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
        https://github.com/aws/aws-lambda-python-runtime-interface-client (bootstrap.py, for `AT_IMPORT`)
    """
    marked = "chr(0) + type(e).__name__"
    told = f'{{"errorMessage": str(e), "errorType": {marked}, "trace": traceback.print_exc()}}'
    script = replaced(
        lambda_runtime._PYTHON_WORKER_SCRIPT,
        '{"status": "error", "error": str(e), "trace": traceback.format_exc()}',
        f'{{"status": "ok", "result": {told}}}',
    )
    script = replaced(
        script, '{"status": "error", "error": str(e)}', f'{{"status": "error", "error": {marked} + chr(0) + str(e)}}'
    )
    lambda_runtime._PYTHON_WORKER_SCRIPT = script
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def execute_and_name(*arguments: Any, **options: Any) -> dict[str, Any]:
        return with_error_name(execute(*arguments, **options))

    lambda_svc._execute_function_warm = execute_and_name


def replaced(script: str, old: str, new: str) -> str:
    """Replace a part of ministack's worker script that has to be there exactly once."""
    if script.count(old) != 1:
        raise CureOutdatedError("ministack's Python worker reports exceptions differently")
    return script.replace(old, new)


def with_error_name(result: dict[str, Any]) -> dict[str, Any]:
    """Turn a result that stands for an error into that error; its name has a mark that no class name has."""
    body = result.get("body")
    if not isinstance(body, dict) or not str(body.get("errorType", "")).startswith(MARK):
        return result
    name = body["errorType"].removeprefix(MARK)
    return {**result, "body": {"errorMessage": body["errorMessage"], "errorType": name}, "error": True}


def end_functions_at_their_limits() -> None:
    """Kill a function's process at its timeout and at its memory, and name every end of a process as AWS does.

    ministack: at the timeout the process is asked to end and has 2 s to do so, in which it can still write; memory has
    no limit; whatever ends a process is `Runtime.HandlerError`, which no retrier names.
    AWS: kills the process. The errors are `Sandbox.Timedout`, `Runtime.OutOfMemory` and, if a process ended by itself,
    `Runtime.ExitError`. The next call gets a new process.
    The timeout is never scaled as the waits of tests are. Memory has a limit only where /proc exists, so not on macOS.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
        https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
        https://github.com/localstack/localstack (tests/aws/services/lambda_/test_lambda.snapshot.json, recorded on AWS)
    """
    invoke, spawn = lambda_runtime.Worker.invoke, lambda_runtime.Worker._spawn

    @functools.wraps(spawn)
    def spawn_and_keep(worker: Any) -> None:
        try:
            spawn(worker)
        finally:
            worker.process = worker._proc  # ministack forgets a process that ended, and so why it ended

    @functools.wraps(invoke)
    def invoke_within_limits(worker: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        with MemoryWatch(worker) as watch:
            try:
                answer = invoke(worker, event, request_id, **options)
            except RuntimeError as exc:
                if worker._proc is None:
                    raise
                # The process did not get as far as the handler.
                answer = {"status": "error", "error": str(exc), "log": worker._drain_stderr()}
        if answer["status"] == "ok" and not watch.exceeded:
            return dict(answer)
        worker.kill()
        name, reason = end_of(answer, worker.process, watch.exceeded)
        message = f"RequestId: {request_id} Error: {reason}" if name in ENDS else reason
        log = f"{answer.get('log', '')}\n{message}\n{name}"
        return {"status": "ok", "result": {"errorMessage": message, "errorType": MARK + name}, "log": log}

    lambda_runtime.Worker.invoke, lambda_runtime.Worker._spawn = invoke_within_limits, spawn_and_keep
    lambda_runtime._signal = kill


ENDS = ("Sandbox.Timedout", "Runtime.OutOfMemory", "Runtime.ExitError")


def end_of(answer: dict[str, Any], process: Any, out_of_memory: bool) -> tuple[str, str]:
    """Return the name that AWS gives to the end of a function's process, and the reason in AWS's words.

    Args:
        answer: What ministack says of a call that brought no result, or of one that took too much memory.
        process: The function's process, which has ended.
        out_of_memory: Whether it had more memory than the function has.
    """
    if out_of_memory:
        return "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"
    if TIMED_OUT.fullmatch(answer["error"]):
        return "Sandbox.Timedout", answer["error"]
    _, *raised = answer["error"].split(MARK)
    if len(raised) > 1:
        return AT_IMPORT.get(raised[0], raised[0]), MARK.join(raised[1:])
    return "Runtime.ExitError", exit_reason(process.wait())


def exit_reason(code: int) -> str:
    """Describe how a process ended, from its exit code as `subprocess` reports it, in Lambda's words."""
    if code == 0:
        return "Runtime exited without providing a reason"
    how = f"exit status {code}" if code > 0 else f"signal: {signal.strsignal(-code)}".lower()
    return f"Runtime exited with error: {how}"


def kill(process: subprocess.Popen[str] | None) -> None:
    """End a process at once: one that is only asked to end may write before it does."""
    if process is not None and process.poll() is None:
        process.kill()


class MemoryWatch:
    """While it is open, kills a function's process once that has had more memory than the function has.

    Resident memory counts, as on AWS. Limits of the system (`setrlimit`) would count the unused stacks of threads, too.

    Attributes:
        exceeded: Whether the process had more memory.
    """

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.limit = worker.config.get("MemorySize", 128) * MEGABYTE
        self.exceeded = False
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True, name=f"memory-{worker.func_name}")

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        self.look()  # between two looks it may have had too much and given it back

    def look_on(self) -> None:
        """Look until the call has ended."""
        while not self.done.wait(WATCH_SECONDS):
            self.look()

    def look(self) -> None:
        """Kill the process if it has had too much: the system keeps the most that it had."""
        process = self.worker._proc
        if process is not None and peak_memory(process.pid) > self.limit:
            self.exceeded = True
            kill(process)


def peak_memory(process_id: int) -> int:
    """Read the most resident memory that a process has had, in bytes; 0 if it has ended or there is no /proc.

    Source:
        https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM)
    """
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def share_unpacked_code(folder: Path) -> None:
    """Unpack a function's code once, and keep what Python compiles of it for all its processes and later starts.

    ministack: unpacks the code for each process anew, where each compiles it again: 1 s of processor time of the 1.3 s
    that a start takes.
    AWS: starts functions on machines of its own.

    Args:
        folder: Where the code is kept, by the SHA-256 of its zip. Nothing of it may be in use yet.
    """
    if lambda_runtime.zipfile is not zipfile:
        raise CureOutdatedError("ministack unpacks functions in another way")
    forget_older_code(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # of the engine; its functions inherit what is in the environment
    unpacking = threading.Lock()

    class UnpackedOnce(zipfile.ZipFile):
        """A zip whose content is linked to where it was unpacked before."""

        def extractall(self, path: Any = None, *others: Any) -> None:
            if Path(path).name != "code":
                super().extractall(path, *others)
                return
            kept = folder / hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
            with unpacking:
                if not kept.exists():
                    unpacked = tempfile.mkdtemp(dir=folder)
                    super().extractall(unpacked)
                    os.sync()  # a power cut must not leave empty files under a name that stands for whole ones
                    Path(unpacked).rename(kept)
            Path(path).rmdir()
            Path(path).symlink_to(kept, target_is_directory=True)

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=UnpackedOnce, BadZipFile=zipfile.BadZipFile, LargeZipFile=zipfile.LargeZipFile
    )


def forget_older_code(folder: Path) -> None:
    """Keep the code that was unpacked last; functions that an update replaced need theirs no longer."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for older in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-1]:
        shutil.rmtree(older)


class CureOutdatedError(RuntimeError):
    """This ministack is not the one that the cures were written for: install the pinned version."""
