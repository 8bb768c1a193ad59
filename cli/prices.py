"""What AWS charges in us-east-1, on demand, without the free tier.

Source:
    https://aws.amazon.com/step-functions/pricing/, .../lambda/pricing/ (arm64), .../dynamodb/pricing/
"""

TRANSITION = 25 / 1_000_000  # dollars
GIGABYTE_SECOND = 0.0000133334
WRITE = 0.625 / 1_000_000
READ = 0.125 / 1_000_000

GIGABYTES = 0.25  # of memory that each function has
ITEMS_READ = 17 * 2  # units for a repository: 14 days, the entry, its name and the snapshot, consistently
ENTRY_AND_SNAPSHOT = 2  # items of a repository that each day's first run changes, beside days
