/* The ten paths of each repository that were viewed most in the 14 days before its last capture */
WITH ranked AS (
    SELECT
        current_name,
        captured_on,
        path,
        title,
        views_count,
        views_uniques,
        dense_rank() OVER (PARTITION BY repo_name ORDER BY captured_on DESC) AS age
    FROM paths
)
SELECT current_name, captured_on, path, title, views_count, views_uniques
FROM ranked
WHERE age = 1
ORDER BY current_name, views_count DESC, path
