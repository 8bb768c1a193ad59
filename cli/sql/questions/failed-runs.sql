/* The runs that failed, and why */
SELECT run, started, error, subject
FROM runs
WHERE outcome <> 'succeeded'
ORDER BY started
