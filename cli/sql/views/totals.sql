-- GitHub's totals of its last 14 days: of each day and endpoint the last capture.
SELECT
    repo_name, captured_on, views_count, views_uniques, clones_count, clones_uniques, views_until, clones_until, repo_id,
    current_name
FROM (
    SELECT
        repo_id,
        captured_on,
        max(CASE WHEN endpoint = 'views' THEN total END) AS views_count,
        max(CASE WHEN endpoint = 'views' THEN total_uniques END) AS views_uniques,
        max(CASE WHEN endpoint = 'clones' THEN total END) AS clones_count,
        max(CASE WHEN endpoint = 'clones' THEN total_uniques END) AS clones_uniques,
        max(CASE WHEN endpoint = 'views' THEN until END) AS views_until,
        max(CASE WHEN endpoint = 'clones' THEN until END) AS clones_until
    FROM (
        SELECT
            *,
            max(last_listed) OVER (PARTITION BY repo_id, captured_on, endpoint, total, total_uniques) AS until,
            row_number() OVER (PARTITION BY repo_id, captured_on, endpoint ORDER BY captured_at DESC) AS nth
        FROM (
            SELECT
                object, repo_id, endpoint, captured_at, today AS captured_on, total, total_uniques,
                max(CASE WHEN every_day AND day < today THEN day END) AS last_listed
            FROM listed
            WHERE total IS NOT NULL AND total_uniques IS NOT NULL
            GROUP BY object, repo_id, endpoint, captured_at, today, total, total_uniques
        ) AS windows
    ) AS numbered
    WHERE nth = 1
    GROUP BY repo_id, captured_on
) AS latest
JOIN identified USING (repo_id)
