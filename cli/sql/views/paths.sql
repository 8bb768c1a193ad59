-- The paths of the 14 days before each capture, without the repository's name, under every name that it has or had.
SELECT
    repo_name,
    captured_on,
    CASE WHEN own_name IS NULL THEN path ELSE '/' || substr(path, length(own_name) + 2) END AS path,
    title,
    views_count,
    views_uniques,
    repo_id,
    current_name
FROM (
    SELECT
        repo_id,
        captured_on,
        json_extract_scalar(line, '$.path') AS path,
        coalesce(json_extract_scalar(line, '$.title'), '') AS title,
        CAST(json_extract_scalar(line, '$.count') AS BIGINT) AS views_count,
        CAST(json_extract_scalar(line, '$.uniques') AS BIGINT) AS views_uniques
    FROM said
    CROSS JOIN UNNEST(CAST(lines AS ARRAY(JSON))) WITH ORDINALITY AS t(line, nth_line)
    WHERE endpoint = 'paths' AND nth_line <= 10
) AS rows_of_paths
LEFT JOIN (SELECT DISTINCT repo_id AS named_id, '/' || lower(name) AS own_name FROM named WHERE last_seen IS NOT NULL) AS names
    ON repo_id = named_id
    AND own_name = lower(split_part(path, '/', 1) || '/' || split_part(path, '/', 2) || '/' || split_part(path, '/', 3))
JOIN identified USING (repo_id)
