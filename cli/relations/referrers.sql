-- The rows of a capture stay in the order in which GitHub listed them.
SELECT
    kept."repo-name",
    captures."captured-on",
    captures.listed.M.referrer.S AS referrer,
    captures.listed.M."count".N AS "views-count",
    captures.listed.M.uniques.N AS "views-uniques",
    captures."repo-id",
    kept."current-name"
FROM (
    SELECT
        CAST("repo-id".S AS BIGINT) AS "repo-id",
        "captured-on".S AS "captured-on",
        unnest(referrers.L) AS listed,
        generate_subscripts(referrers.L, 1) AS place
    FROM read_json(
        getvariable('lines'),
        format = 'newline_delimited',
        columns = {
            'repo-id': 'STRUCT(S VARCHAR)',
            'captured-on': 'STRUCT(S VARCHAR)',
            'referrers':
                'STRUCT(L STRUCT(M STRUCT(referrer STRUCT(S VARCHAR), count STRUCT(N BIGINT), uniques STRUCT(N BIGINT)))[])'
        }
    )
) AS captures
LEFT JOIN kept USING ("repo-id")
ORDER BY "repo-name", "repo-id", captures."captured-on", place
