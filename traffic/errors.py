"""The errors that the state machine can name, divided by what the caller should do, not by status code."""


class GitHubUnavailableError(Exception):
    """GitHub failed for every repository. Trying again will help.

    The definition's Retry names this class: renaming it changes what is retried.
    """


class GitHubAuthError(Exception):
    """GitHub refuses the token. Nothing can be captured until it is replaced: the run ends."""


class GitHubRejectionError(Exception):
    """GitHub rejects a request (400, 410, 422). This is a bug here, and trying again repeats it: the run ends."""


class GitHubLimitError(Exception):
    """GitHub's rate limit on the listing lasts beyond the run's deadline: the run ends, and the next one asks again."""


class TokenUnavailableError(Exception):
    """Secrets Manager did not return the token. Trying again will help, unless the role or the secret is gone.

    The definition's Retry names this class: renaming it changes what is retried.
    """


class RunStoppedError(Exception):
    """Another step found that this run cannot go on. Give up without asking GitHub."""


class InvalidInputError(Exception):
    """The state machine does not take the execution's input. Start it again with a valid one."""


class InvalidSettingError(Exception):
    """A setting of a function has a value that it cannot have. Deploy again with a valid one."""


class TableBusyError(Exception):
    """DynamoDB is throttled, or others kept changing an item while it was being merged. Trying again will help.

    The definition's Retry names this class: renaming it changes what is retried.
    """


class ArchiveBusyError(Exception):
    """S3 is throttled, failed temporarily or could not be reached. Trying again will help.

    The definition's Retry names this class: renaming it changes what is retried.
    """


class RecordError(Exception):
    """The record does not have what was asked for, or an object in it is damaged. The message says what to do."""


class IdentityConflictError(Exception):
    """Rows under a repository's key belong to another id. Nothing was written; `traffic verify` shows which."""
