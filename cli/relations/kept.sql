CREATE TEMP TABLE kept AS
SELECT * FROM read_json(
    getvariable('lines'),
    format = 'newline_delimited',
    columns = {
        'repo-name': 'VARCHAR',
        'repo-id': 'BIGINT',
        'current-name': 'VARCHAR',
        'former-names': 'VARCHAR',
        'first-captured-on': 'VARCHAR',
        'captured-on': 'VARCHAR',
        'newest-day': 'VARCHAR',
        'views-active-on': 'VARCHAR',
        'clones-active-on': 'VARCHAR'
    }
)
