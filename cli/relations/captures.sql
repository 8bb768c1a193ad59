-- The last capture of each week: each covers 14 days. Weeks begin on Monday.
-- An item that has only imported stars and forks must not take the place of a capture.
SELECT
    CAST("repo-id".S AS BIGINT) AS "repo-id",
    "captured-on".S AS "captured-on",
    list_transform(
        referrers.L,
        lambda listed: {'name': listed.M.referrer.S, 'views': listed.M."count".N, 'uniques': listed.M.uniques.N}
    ) AS referrers,
    list_transform(
        paths.L,
        lambda listed: {'name': listed.M.path.S, 'views': listed.M."count".N, 'uniques': listed.M.uniques.N}
    ) AS paths
FROM read_json(
    getvariable('lines'),
    format = 'newline_delimited',
    columns = {
        'repo-id': 'STRUCT(S VARCHAR)',
        'captured-on': 'STRUCT(S VARCHAR)',
        'stars': 'STRUCT(N BIGINT)',
        'forks': 'STRUCT(N BIGINT)',
        'views-count': 'STRUCT(N BIGINT)',
        'clones-count': 'STRUCT(N BIGINT)',
        'referrers':
            'STRUCT(L STRUCT(M STRUCT(referrer STRUCT(S VARCHAR), count STRUCT(N BIGINT), uniques STRUCT(N BIGINT)))[])',
        'paths':
            'STRUCT(L STRUCT(M STRUCT(path STRUCT(S VARCHAR), count STRUCT(N BIGINT), uniques STRUCT(N BIGINT)))[])'
    }
)
WHERE
    coalesce(stars.N, forks.N) IS NULL
    OR coalesce("views-count".N, "clones-count".N) IS NOT NULL
    OR referrers IS NOT NULL
    OR paths IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY "repo-id".S, date_trunc('week', CAST("captured-on".S AS DATE)) ORDER BY "captured-on".S DESC
) = 1
ORDER BY "repo-id", "captured-on"
