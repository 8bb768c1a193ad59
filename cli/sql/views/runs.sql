-- The runs whose summaries are still in the archive.
SELECT run.id AS run, run.started AS started, outcome, error, subject
FROM run_files
WHERE "$path" LIKE '%/summary.json'
