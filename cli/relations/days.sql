-- A row of the first version has no repository: its name is its key.
SELECT
    items."repo-name".S AS "repo-name",
    items."timestamp".S AS "timestamp",
    items."views-count".N AS "views-count",
    items."views-uniques".N AS "views-uniques",
    items."clones-count".N AS "clones-count",
    items."clones-uniques".N AS "clones-uniques",
    items."repo-id".N AS "repo-id",
    coalesce(kept."current-name", items."repo-name".S) AS "current-name",
    items."views-complete" IS NOT NULL AS "views-complete",
    items."clones-complete" IS NOT NULL AS "clones-complete",
    items.sources.M."views-count".S AS "views-count-source",
    items.sources.M."views-uniques".S AS "views-uniques-source",
    items.sources.M."clones-count".S AS "clones-count-source",
    items.sources.M."clones-uniques".S AS "clones-uniques-source"
FROM read_json(
    getvariable('lines'),
    format = 'newline_delimited',
    columns = {
        'repo-name': 'STRUCT(S VARCHAR)',
        'timestamp': 'STRUCT(S VARCHAR)',
        'views-count': 'STRUCT(N BIGINT)',
        'views-uniques': 'STRUCT(N BIGINT)',
        'clones-count': 'STRUCT(N BIGINT)',
        'clones-uniques': 'STRUCT(N BIGINT)',
        'repo-id': 'STRUCT(N BIGINT)',
        'views-complete': 'STRUCT("BOOL" BOOLEAN)',
        'clones-complete': 'STRUCT("BOOL" BOOLEAN)',
        'sources':
            'STRUCT(M STRUCT("views-count" STRUCT(S VARCHAR), "views-uniques" STRUCT(S VARCHAR), "clones-count" STRUCT(S VARCHAR), "clones-uniques" STRUCT(S VARCHAR)))'
    }
) AS items
LEFT JOIN kept ON kept."repo-name" = items."repo-name".S
ORDER BY "repo-name", "timestamp"
