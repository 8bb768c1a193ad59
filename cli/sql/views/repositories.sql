-- Every repository that was ever captured, refused or imported.
SELECT
    repo_name, repo_id, current_name, former_names, first_captured_on, CAST(answered_on AS DATE) AS captured_on, newest_day,
    views_active_on, clones_active_on
FROM (
    SELECT
        repo_id,
        repo_name,
        current_name,
        answered_on,
        coalesce(array_join(array_agg(name ORDER BY last_seen, name) FILTER (WHERE name <> current_name), ' '), '')
            AS former_names,
        CAST(min(substr(first_seen, 1, 10)) AS DATE) AS first_captured_on
    FROM identified
    JOIN (SELECT repo_id, name, first_seen, last_seen FROM named WHERE last_seen IS NOT NULL) AS names USING (repo_id)
    GROUP BY repo_id, repo_name, current_name, answered_on
) AS known
LEFT JOIN (
    SELECT
        repo_id,
        max(day) AS newest_day,
        max(CASE WHEN endpoint = 'views' AND number > 0 THEN day END) AS views_active_on,
        max(CASE WHEN endpoint = 'clones' AND number > 0 THEN day END) AS clones_active_on
    FROM listed
    GROUP BY repo_id
) AS newest USING (repo_id)
