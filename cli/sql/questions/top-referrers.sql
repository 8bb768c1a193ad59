/* The ten referrers of each quarter that sent the most views within 14 days, all repositories together */
WITH captures AS (
    SELECT
        CAST(date_trunc('quarter', captured_on) AS DATE) AS quarter,
        captured_on,
        referrer,
        sum(views_count) AS views,
        count(*) AS repositories
    FROM referrers
    GROUP BY 1, 2, 3
),
ranked AS (
    SELECT
        quarter,
        referrer,
        max(views) AS most_views,
        max(repositories) AS repositories,
        row_number() OVER (PARTITION BY quarter ORDER BY max(views) DESC, referrer) AS place
    FROM captures
    GROUP BY quarter, referrer
)
SELECT quarter, place, referrer, most_views, repositories
FROM ranked
WHERE place <= 10
ORDER BY quarter, place
