"""Cures of ministack's Lambda: names of errors, the end of a function's process, and its unpacked code.

They imitate the runtimes of Python 3.12 and later; older runtimes report less.
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

MARK = "\x00"  # before the name of an error in a function's result

# AWS's names for exceptions at the import of a function's module; other exceptions keep their name.
AT_IMPORT = {
    "ImportError": "Runtime.ImportModuleError",
    "ModuleNotFoundError": "Runtime.ImportModuleError",
    "SyntaxError": "Runtime.UserCodeSyntaxError",
}

TIMED_OUT = re.compile(r"Task timed out after \d+\.\d\d seconds")
WATCH_SECONDS = 0.02  # between two checks of a function's memory; a check takes 0.03 ms
MEGABYTE = 2**20
ENDS = ("Sandbox.Timedout", "Runtime.OutOfMemory", "Runtime.ExitError")


def name_lambda_errors() -> None:
    """Report a function's exception under its class name, so that `ErrorEquals` matches it, and keep the worker.

    ministack: every exception of a Python function is `Runtime.HandlerError`, and ends the process that raised it.
    AWS: `errorType` is the class name, which Step Functions uses as the error's name; the next call uses the same
    process. Here, the worker reports success, with the exception as the result.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
        https://github.com/aws/aws-lambda-python-runtime-interface-client (bootstrap.py, for `AT_IMPORT`)
    """
    marked = "chr(0) + type(e).__name__"
    reported = f'{{"errorMessage": str(e), "errorType": {marked}, "trace": traceback.print_exc()}}'
    script = replaced(
        lambda_runtime._PYTHON_WORKER_SCRIPT,
        '{"status": "error", "error": str(e), "trace": traceback.format_exc()}',
        f'{{"status": "ok", "result": {reported}}}',
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
    """Replace a part of ministack's worker script, which must contain it exactly once.

    Raises:
        CureOutdatedError: The script does not contain it, or contains it more than once.
    """
    if script.count(old) != 1:
        raise CureOutdatedError("ministack's Python worker reports exceptions differently")
    return script.replace(old, new)


def with_error_name(result: dict[str, Any]) -> dict[str, Any]:
    """Turn a result that represents an error into that error: its name begins with a mark that no class name has."""
    body = result.get("body")
    if not isinstance(body, dict) or not str(body.get("errorType", "")).startswith(MARK):
        return result
    name = body["errorType"].removeprefix(MARK)
    return {**result, "body": {"errorMessage": body["errorMessage"], "errorType": name}, "error": True}


def end_functions_at_their_limits() -> None:
    """Kill a function's process at its timeout or memory limit, and report every end of a process as AWS does.

    ministack: after the timeout, a process has 2 s to end, in which it can still write. Memory has no limit. Every end
    of a process is reported as `Runtime.HandlerError`, which no retrier contains.
    AWS: kills the process. The errors are `Sandbox.Timedout`, `Runtime.OutOfMemory` and, if a process ended by itself,
    `Runtime.ExitError`. The next call gets a new process.
    The timeout is real time even if waits are scaled. Memory is limited only if /proc exists, so not on macOS.

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
            worker.process = worker._proc  # ministack drops a process that ended, and with it the reason

    @functools.wraps(invoke)
    def invoke_within_limits(worker: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        with MemoryWatch(worker) as watch:
            try:
                answer = invoke(worker, event, request_id, **options)
            except RuntimeError as exc:
                if worker._proc is None:
                    raise
                # The process ended before it called the handler.
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


def end_of(answer: dict[str, Any], process: Any, out_of_memory: bool) -> tuple[str, str]:
    """Return the name that AWS gives to the end of a function's process, and the reason in AWS's words.

    Args:
        answer: ministack's answer to a call that returned no result, or used too much memory.
        process: The function's process, which has ended.
        out_of_memory: Whether it used more memory than the function may.
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
    """Describe in Lambda's words how a process ended, from its exit code as `subprocess` reports it."""
    if code == 0:
        return "Runtime exited without providing a reason"
    how = f"exit status {code}" if code > 0 else f"signal: {signal.strsignal(-code)}".lower()
    return f"Runtime exited with error: {how}"


def kill(process: subprocess.Popen[str] | None) -> None:
    """Kill a process: one that is terminated could still write before it ends."""
    if process is not None and process.poll() is None:
        process.kill()


class MemoryWatch:
    """Kills a function's process once it has used more memory than the function may.

    Resident memory counts, as on AWS; `setrlimit` would count unused stacks of threads, too.

    Attributes:
        exceeded: Whether the process used more memory.
    """

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.limit = worker.config.get("MemorySize", 128) * MEGABYTE
        self.exceeded = False
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.keep_checking, daemon=True, name=f"memory-{worker.func_name}")

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        self.check()  # between two checks it may have used too much and freed it

    def keep_checking(self) -> None:
        """Check until the call has ended."""
        while not self.done.wait(WATCH_SECONDS):
            self.check()

    def check(self) -> None:
        """Kill the process if its peak, which the system records, is above the limit."""
        process = self.worker._proc
        if process is not None and peak_memory(process.pid) > self.limit:
            self.exceeded = True
            kill(process)


def peak_memory(process_id: int) -> int:
    """Return the peak resident memory of a process in bytes; 0 if it has ended or there is no /proc.

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
    """Unpack a function's code once, and keep Python's compiled files for all its processes and later starts.

    ministack: unpacks the code for each process, which compiles it again: 1 s of the 1.3 s that a start takes.
    AWS: starts functions on other machines.

    Args:
        folder: The folder of the code, by the SHA-256 of its zip. No process may be using it yet.
    """
    if lambda_runtime.zipfile is not zipfile:
        raise CureOutdatedError("ministack unpacks functions in another way")
    forget_older_code(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # functions inherit the engine's environment
    unpacking = threading.Lock()

    class UnpackedOnce(zipfile.ZipFile):
        """A zip that is unpacked once, and linked to from then on."""

        def extractall(self, path: Any = None, *others: Any) -> None:
            if Path(path).name != "code":
                super().extractall(path, *others)
                return
            kept = folder / hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
            with unpacking:
                if not kept.exists():
                    unpacked = tempfile.mkdtemp(dir=folder)
                    super().extractall(unpacked)
                    os.sync()  # a power cut must not leave empty files in a folder that counts as complete
                    Path(unpacked).rename(kept)
            Path(path).rmdir()
            Path(path).symlink_to(kept, target_is_directory=True)

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=UnpackedOnce, BadZipFile=zipfile.BadZipFile, LargeZipFile=zipfile.LargeZipFile
    )


def forget_older_code(folder: Path) -> None:
    """Delete all unpacked code except the newest: an update replaced the others."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for older in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-1]:
        shutil.rmtree(older)


class CureOutdatedError(RuntimeError):
    """This ministack is not the one that the cures were written for: install the pinned version."""
