-- For each day and metric the highest value that GitHub, or an import, ever reported.
SELECT
    repo_name, day, views_count, views_uniques, clones_count, clones_uniques, repo_id, current_name,
    views_complete, clones_complete
FROM (
    SELECT
        repo_id,
        day,
        max(views_count) AS views_count,
        max(views_uniques) AS views_uniques,
        max(clones_count) AS clones_count,
        max(clones_uniques) AS clones_uniques,
        bool_or(views_complete) AS views_complete,
        bool_or(clones_complete) AS clones_complete
    FROM (
        SELECT
            repo_id,
            day,
            CASE WHEN endpoint = 'views' THEN number END AS views_count,
            CASE WHEN endpoint = 'views' THEN uniques END AS views_uniques,
            CASE WHEN endpoint = 'clones' THEN number END AS clones_count,
            CASE WHEN endpoint = 'clones' THEN uniques END AS clones_uniques,
            endpoint = 'views' AND complete AS views_complete,
            endpoint = 'clones' AND complete AS clones_complete
        FROM listed
        WHERE day IS NOT NULL
        UNION ALL
        SELECT
            repo_id,
            CAST(imported_day AS DATE),
            element_at(element_at(metrics, imported_day), 'views-count'),
            element_at(element_at(metrics, imported_day), 'views-uniques'),
            element_at(element_at(metrics, imported_day), 'clones-count'),
            element_at(element_at(metrics, imported_day), 'clones-uniques'),
            false,
            false
        FROM (
            SELECT repo_id, CAST(json_parse(days) AS MAP(VARCHAR, MAP(VARCHAR, BIGINT))) AS metrics FROM imports
        ) AS histories
        CROSS JOIN UNNEST(map_keys(metrics)) AS t(imported_day)
    ) AS every_report
    GROUP BY repo_id, day
) AS highest
JOIN identified USING (repo_id)
