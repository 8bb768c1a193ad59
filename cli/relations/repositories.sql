SELECT * FROM kept ORDER BY "repo-name", "repo-id"
