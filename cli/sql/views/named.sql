-- The names that each repository has or had. An import confirms no name, unless nothing else made the repository known.
SELECT
    repo_id,
    name,
    min(object) AS first_object,
    min(captured_at) FILTER (WHERE confirmed OR nth = 1) AS first_seen,
    max(substr(captured_at, 1, 10)) FILTER (WHERE confirmed OR nth = 1) AS last_seen,
    max(substr(captured_at, 1, 10)) FILTER (WHERE everything_answered) AS answered_on
FROM (SELECT *, row_number() OVER (PARTITION BY repo_id ORDER BY object) AS nth FROM reported) AS numbered
GROUP BY repo_id, name
