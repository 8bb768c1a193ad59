-- The days of each window of views or clones, with whether GitHub reported the complete day.
-- A window that lists every day, also those without traffic, is complete up to yesterday. One that leaves days out
-- is truncated at its oldest day, and its newest day may be unfinished.
SELECT
    *,
    CASE WHEN every_day THEN day < today
        ELSE
            day >= date_add('day', CASE WHEN captured_at LIKE '%T00:00:00Z' THEN -14 ELSE -13 END, today)
            AND (day <= date_add('day', -8, today) OR day < newest)
    END AS complete
FROM (
    SELECT
        *,
        max(CASE WHEN day <= today THEN day END) OVER (PARTITION BY object, repo_id, endpoint) AS newest,
        NOT coalesce(bool_or(day = today) OVER (PARTITION BY object, repo_id), false)
        AND (
            -- A zero, or a day that a rolling window has already left.
            coalesce(
                bool_or(
                    number = 0
                    OR substr(captured_at, 1, 13) >= CAST(CAST(date_add('day', 15, day) AS DATE) AS VARCHAR) || 'T01'
                ) OVER (PARTITION BY object, repo_id),
                false
            )
            OR bool_and(
                days = 14 AND date_diff('day', first_day, last_day) = 13
                AND captured_at >= '2025-12-30' AND NOT enterprise
            ) OVER (PARTITION BY object, repo_id)
        ) AS every_day
    FROM (
        SELECT
            *,
            count(day) OVER (PARTITION BY object, repo_id, endpoint) AS days,
            min(day) OVER (PARTITION BY object, repo_id, endpoint) AS first_day,
            max(day) OVER (PARTITION BY object, repo_id, endpoint) AS last_day
        FROM (
            SELECT
                object,
                repo_id,
                endpoint,
                captured_at,
                CAST(substr(captured_at, 1, 10) AS DATE) AS today,
                enterprise,
                total,
                total_uniques,
                CAST(substr(json_extract_scalar(line, '$.timestamp'), 1, 10) AS DATE) AS day,
                CAST(json_extract_scalar(line, '$.count') AS BIGINT) AS number,
                CAST(json_extract_scalar(line, '$.uniques') AS BIGINT) AS uniques
            FROM (
                SELECT
                    regexp_extract("$path", '[^/]+$') AS object,
                    repo_id,
                    endpoint,
                    captured_at,
                    element_at(headers, 'x-github-enterprise-version') IS NOT NULL AS enterprise,
                    TRY_CAST(json_extract_scalar(body, '$.count') AS BIGINT) AS total,
                    TRY_CAST(json_extract_scalar(body, '$.uniques') AS BIGINT) AS total_uniques,
                    CAST(coalesce(json_extract(body, '$.views'), json_extract(body, '$.clones')) AS ARRAY(JSON)) AS lines
                FROM answers
                WHERE outcome = 'captured' AND endpoint IN ('views', 'clones')
            ) AS windows
            LEFT JOIN UNNEST(lines) AS t(line) ON TRUE
        ) AS unnested
    ) AS measured
) AS judged
