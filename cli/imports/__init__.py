"""Imports the history of other tools into the record, by the same merge as GitHub's own answers."""
