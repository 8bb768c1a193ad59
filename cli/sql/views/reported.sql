-- What each object of the archive reports about a repository as such. The objects' names are in the order of the captures.
SELECT
    regexp_extract("$path", '[^/]+$') AS object,
    repo_id,
    max_by(repo, captured_at) AS name,
    max(captured_at) AS captured_at,
    true AS confirmed,
    -- Without views, there are no referrers and paths to ask for.
    bool_or(outcome = 'captured' AND endpoint = 'paths')
        OR (
            bool_or(outcome = 'captured' AND endpoint = 'clones')
            AND bool_or(
                CASE WHEN outcome = 'captured' AND endpoint = 'views'
                    THEN json_extract_scalar(body, '$.count') = '0' AND NOT regexp_like(body, '"count": *[1-9]')
                    ELSE false
                END
            )
        ) AS everything_answered
FROM answers
GROUP BY "$path", repo_id
UNION ALL
SELECT regexp_extract("$path", '[^/]+$'), repo_id, repo, imported_at, "new", false
FROM imports
