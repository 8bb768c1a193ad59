-- The referrers of the 14 days before each capture.
SELECT
    repo_name,
    captured_on,
    json_extract_scalar(line, '$.referrer') AS referrer,
    CAST(json_extract_scalar(line, '$.count') AS BIGINT) AS views_count,
    CAST(json_extract_scalar(line, '$.uniques') AS BIGINT) AS views_uniques,
    repo_id,
    current_name
FROM said
CROSS JOIN UNNEST(CAST(lines AS ARRAY(JSON))) WITH ORDINALITY AS t(line, nth_line)
JOIN identified USING (repo_id)
WHERE endpoint = 'referrers' AND nth_line <= 10
