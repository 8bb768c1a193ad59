"""`traffic import`: brings what other tools kept into the record, by the same merge as GitHub's own answers."""
