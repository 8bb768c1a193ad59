-- Stars and forks, which belong to no day: as they were at a capture, with the tool that an import has them from.
SELECT
    kept."repo-name",
    items."captured-on".S AS "captured-on",
    items.stars.N AS stars,
    items.sources.M.stars.S AS "stars-source",
    items.forks.N AS forks,
    items.sources.M.forks.S AS "forks-source",
    CAST(items."repo-id".S AS BIGINT) AS "repo-id",
    kept."current-name"
FROM read_json(
    getvariable('lines'),
    format = 'newline_delimited',
    columns = {
        'repo-id': 'STRUCT(S VARCHAR)',
        'captured-on': 'STRUCT(S VARCHAR)',
        'stars': 'STRUCT(N BIGINT)',
        'forks': 'STRUCT(N BIGINT)',
        'sources': 'STRUCT(M STRUCT(stars STRUCT(S VARCHAR), forks STRUCT(S VARCHAR)))'
    }
) AS items
LEFT JOIN kept ON kept."repo-id" = CAST(items."repo-id".S AS BIGINT)
WHERE items.stars IS NOT NULL OR items.forks IS NOT NULL
ORDER BY "repo-name", CAST(items."repo-id".S AS BIGINT), "captured-on"
