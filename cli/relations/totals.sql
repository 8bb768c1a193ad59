SELECT
    kept."repo-name",
    items."captured-on".S AS "captured-on",
    items."views-count".N AS "views-count",
    items."views-uniques".N AS "views-uniques",
    items."clones-count".N AS "clones-count",
    items."clones-uniques".N AS "clones-uniques",
    items."views-until".S AS "views-until",
    items."clones-until".S AS "clones-until",
    CAST(items."repo-id".S AS BIGINT) AS "repo-id",
    kept."current-name"
FROM read_json(
    getvariable('lines'),
    format = 'newline_delimited',
    columns = {
        'repo-id': 'STRUCT(S VARCHAR)',
        'captured-on': 'STRUCT(S VARCHAR)',
        'views-count': 'STRUCT(N BIGINT)',
        'views-uniques': 'STRUCT(N BIGINT)',
        'clones-count': 'STRUCT(N BIGINT)',
        'clones-uniques': 'STRUCT(N BIGINT)',
        'views-until': 'STRUCT(S VARCHAR)',
        'clones-until': 'STRUCT(S VARCHAR)'
    }
) AS items
LEFT JOIN kept ON kept."repo-id" = CAST(items."repo-id".S AS BIGINT)
WHERE items."views-count" IS NOT NULL OR items."clones-count" IS NOT NULL
ORDER BY "repo-name", CAST(items."repo-id".S AS BIGINT), "captured-on"
