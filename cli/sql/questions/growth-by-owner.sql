/* Views and clones of each owner by month, with the change of the views since the month before */
WITH months AS (
    SELECT
        split_part(current_name, '/', 1) AS owner,
        substr(CAST(day AS VARCHAR), 1, 7) AS month,
        count(DISTINCT repo_id) AS repositories,
        sum(views_count) AS views,
        sum(clones_count) AS clones
    FROM days
    GROUP BY 1, 2
)
SELECT
    owner,
    month,
    repositories,
    views,
    clones,
    views - lag(views) OVER (PARTITION BY owner ORDER BY month) AS more_views
FROM months
ORDER BY owner, month
