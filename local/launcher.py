"""The engine's process: `local.engine` starts `python -m local.launcher HISTORY`.

Neither its command line nor its environment, which functions inherit, contains a secret. It saves and ends when its
standard input ends.
"""

import errno
import fcntl
import os
import shutil
import socket
import sys
import traceback
import uuid
from pathlib import Path

from local.history_folder import ALREADY_RUNNING, HistoryFolder, current_generation, write_json


def main() -> None:
    """Lock the history, set the environment for ministack, and serve."""
    history = HistoryFolder(Path(sys.argv[1]))
    history.prepare()
    lock = os.open(history.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        sys.exit(ALREADY_RUNNING)
    history.running.unlink(missing_ok=True)
    shutil.rmtree(history.scratch, ignore_errors=True)
    history.scratch.mkdir(mode=0o700)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    set_environment(history, listener.getsockname()[1])

    from local.gateway import serve_history  # noqa: PLC0415 - ministack reads the environment while it is imported

    # A different access key for each engine: the CDK command line remembers the account of each key.
    key = "TRAFFIC" + uuid.uuid4().hex[:13].upper()
    os.environ["AWS_ACCESS_KEY_ID"] = key  # it allows everything, like the key of an account's root user
    write_json(history.running, {"pid": os.getpid(), "port": listener.getsockname()[1], "access_key": key})
    code = 1
    try:
        serve_history(history, listener)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        history.running.unlink(missing_ok=True)
        shutil.rmtree(history.scratch, ignore_errors=True)
        os._exit(code)  # otherwise, threads of waiting executions keep the process running for hours


def set_environment(history: HistoryFolder, port: int) -> None:
    """Configure ministack: its folders and port, and no network, no Docker, no AWS configuration of the user."""
    os.environ.update(
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        TMPDIR=str(history.scratch),
        PERSIST_STATE="1",
        STATE_DIR=str(current_generation(history)),
        S3_PERSIST="1",
        S3_DATA_DIR=str(history.objects),
        SFN_WAIT_SCALE=os.environ.pop("TRAFFIC_WAIT_SCALE", "1"),
        AUTH="true",  # evaluate policies; see local.cures.iam
        LAMBDA_EXECUTOR="local",
        DOCKER_HOST="unix:///nonexistent",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


if __name__ == "__main__":
    main()
