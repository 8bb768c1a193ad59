/* Days without any capture: GitHub deleted them before it was asked */
WITH neighbours AS (
    SELECT
        repo_name,
        current_name,
        day,
        lead(day) OVER (PARTITION BY repo_name ORDER BY day) AS next_day
    FROM days
)
SELECT
    current_name,
    CAST(day + interval '1' day AS DATE) AS first_missing,
    CAST(next_day - interval '1' day AS DATE) AS last_missing,
    date_diff('day', day, next_day) - 1 AS missing_days
FROM neighbours
WHERE date_diff('day', day, next_day) > 1
ORDER BY current_name, first_missing
