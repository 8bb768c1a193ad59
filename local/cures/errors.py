"""The error of a cure that no longer fits."""


class CureOutdatedError(RuntimeError):
    """This ministack is not the one that the cures were written for: install the pinned version."""
