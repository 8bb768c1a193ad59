-- Stars and forks that were imported: of each day the last ones. At the same time the first source counts, then the
-- highest number.
SELECT repo_name, captured_on, stars, stars_source, forks, forks_source, repo_id, current_name
FROM (
    SELECT
        repo_id,
        captured_on,
        max(CASE WHEN part = 'stars' THEN number END) AS stars,
        max(CASE WHEN part = 'stars' THEN nullif(source, '') END) AS stars_source,
        max(CASE WHEN part = 'forks' THEN number END) AS forks,
        max(CASE WHEN part = 'forks' THEN nullif(source, '') END) AS forks_source
    FROM (
        SELECT
            *,
            row_number() OVER (PARTITION BY repo_id, captured_on, part ORDER BY since DESC, source, number DESC) AS nth
        FROM (
            SELECT
                repo_id,
                captured_on,
                part,
                json_extract_scalar(statement, '$.since') AS since,
                coalesce(json_extract_scalar(statement, '$.source'), '') AS source,
                CAST(
                    coalesce(
                        json_extract_scalar(statement, '$.said.stars'), json_extract_scalar(statement, '$.said.forks')
                    ) AS BIGINT
                ) AS number
            FROM (
                SELECT
                    repo_id,
                    CAST(imported_day AS DATE) AS captured_on,
                    part,
                    element_at(element_at(statements, imported_day), part) AS statement
                FROM (
                    SELECT repo_id, CAST(json_parse(snapshots) AS MAP(VARCHAR, MAP(VARCHAR, JSON))) AS statements
                    FROM imports
                ) AS histories
                CROSS JOIN UNNEST(map_keys(statements)) AS days(imported_day)
                CROSS JOIN UNNEST(map_keys(element_at(statements, imported_day))) AS parts(part)
                WHERE part IN ('stars', 'forks')
            ) AS imported
        ) AS said_numbers
    ) AS numbered
    WHERE nth = 1
    GROUP BY repo_id, captured_on
) AS latest
JOIN identified USING (repo_id)
