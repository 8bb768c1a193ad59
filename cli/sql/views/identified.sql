-- The key and the current name of each repository. The first repository of a name has it as its key for good.
SELECT
    repo_id,
    CASE WHEN row_number() OVER (PARTITION BY lower(first_name) ORDER BY first_object, repo_id) = 1
        THEN first_name
        ELSE first_name || '~' || CAST(repo_id AS VARCHAR)
    END AS repo_name,
    current_name,
    answered_on
FROM (
    SELECT
        repo_id,
        min(first_object) AS first_object,
        min_by(name, first_object) AS first_name,
        max_by(name, last_seen || first_seen || name) FILTER (WHERE last_seen IS NOT NULL) AS current_name,
        max(answered_on) AS answered_on
    FROM named
    GROUP BY repo_id
) AS first_and_last
