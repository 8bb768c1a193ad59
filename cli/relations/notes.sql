SELECT
    notes."repo-name",
    notes."day",
    notes."text",
    kept."repo-id",
    coalesce(kept."current-name", notes."repo-name") AS "current-name"
FROM read_json(
    getvariable('lines'),
    format = 'newline_delimited',
    columns = {'repo-name': 'VARCHAR', 'day': 'VARCHAR', 'text': 'VARCHAR'}
) AS notes
LEFT JOIN kept ON kept."repo-name" = notes."repo-name"
ORDER BY notes."repo-name", notes."day", notes."text"
