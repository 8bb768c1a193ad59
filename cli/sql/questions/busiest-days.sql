/* The day with the most views of each repository */
WITH ranked AS (
    SELECT
        current_name,
        day,
        views_count,
        views_uniques,
        row_number() OVER (PARTITION BY repo_name ORDER BY views_count DESC, day) AS place
    FROM days
    WHERE views_count > 0
)
SELECT current_name, day, views_count, views_uniques
FROM ranked
WHERE place = 1
ORDER BY views_count DESC, current_name
