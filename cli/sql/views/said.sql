-- GitHub's lists of referrers and paths, as JSON: of each day the last capture.
SELECT repo_id, captured_on, endpoint, lines
FROM (
    SELECT *, row_number() OVER (PARTITION BY repo_id, captured_on, endpoint ORDER BY said_at DESC) AS nth
    FROM (
        SELECT
            repo_id,
            CAST(substr(captured_at, 1, 10) AS DATE) AS captured_on,
            endpoint,
            captured_at AS said_at,
            json_extract(body, '$') AS lines
        FROM answers
        WHERE outcome = 'captured' AND endpoint IN ('referrers', 'paths')
        UNION ALL
        SELECT
            repo_id,
            CAST(imported_day AS DATE),
            endpoint,
            json_extract_scalar(element_at(element_at(statements, imported_day), endpoint), '$.since'),
            coalesce(
                json_extract(element_at(element_at(statements, imported_day), endpoint), '$.said.referrers'),
                json_extract(element_at(element_at(statements, imported_day), endpoint), '$.said.paths')
            )
        FROM (
            SELECT repo_id, CAST(json_parse(snapshots) AS MAP(VARCHAR, MAP(VARCHAR, JSON))) AS statements FROM imports
        ) AS histories
        CROSS JOIN UNNEST(map_keys(statements)) AS days(imported_day)
        CROSS JOIN UNNEST(map_keys(element_at(statements, imported_day))) AS endpoints(endpoint)
    ) AS statement
) AS numbered
WHERE nth = 1
