"""The prices of AWS in us-east-1, on demand, and the amounts that a run uses.

Every number of the cost table and of `traffic cost` is one of these constants, or is computed from them.
"""

from dataclasses import dataclass

GIGABYTE = 1024**3  # bytes


@dataclass(frozen=True)
class Price:
    """The price of one unit.

    Attributes:
        name: What AWS charges for, as users read it.
        dollars: Dollars for one unit.
        source: The address of AWS's price list.
        free: Units a month that stay free in every account, without a time limit.
    """

    name: str
    dollars: float
    source: str
    free: float = 0.0


@dataclass(frozen=True)
class Amount:
    """An amount that is used.

    Attributes:
        value: The number.
        source: The test that measures or counts it, or the section of docs/benchmarks.md that shows the measurement.
    """

    value: float
    source: str


STEP_FUNCTIONS = "https://aws.amazon.com/step-functions/pricing/"
LAMBDA = "https://aws.amazon.com/lambda/pricing/"
DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
S3 = "https://aws.amazon.com/s3/pricing/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"

TRANSITION = Price("state transitions", 25 / 1_000_000, STEP_FUNCTIONS)  # a state entered, a retry too
GIGABYTE_SECOND = Price("Lambda", 0.0000133334, LAMBDA)  # arm64
INVOCATION = Price("Lambda requests", 0.20 / 1_000_000, LAMBDA)
WRITE = Price("DynamoDB writes", 0.625 / 1_000_000, DYNAMODB)  # a unit for each KB begun of an item
READ = Price("DynamoDB reads", 0.125 / 1_000_000, DYNAMODB)  # a unit for each 4 KB begun, read consistently
TABLE_STORED = Price("DynamoDB storage", 0.25, DYNAMODB, free=25.0)  # a GB and month
TABLE_RECOVERY = Price("point-in-time recovery", 0.20, DYNAMODB)  # a GB and month
PUT = Price("S3 writes and lists", 5 / 1_000_000, S3)
GET = Price("S3 reads", 0.40 / 1_000_000, S3)
ARCHIVED = Price("archive", 0.023, S3)  # a GB and month
LOGGED = Price("logs", 0.50, CLOUDWATCH)  # a GB taken in
LOG_STORED = Price("kept logs", 0.03, CLOUDWATCH)  # a GB and month
TRACE = Price("X-Ray traces", 5 / 1_000_000, "https://aws.amazon.com/xray/pricing/")
SECRET = Price("secret", 0.40, "https://aws.amazon.com/secrets-manager/pricing/")  # a month
SECRET_READ = Price("reads of the secret", 0.05 / 10_000, "https://aws.amazon.com/secrets-manager/pricing/")
ALARM = Price("alarms", 0.10, CLOUDWATCH)  # each, a month
METRIC_HOUR = Price("metrics", 0.30 / (30 * 24), CLOUDWATCH)  # each, for an hour in which it is written
MAIL = Price("e-mails", 2 / 100_000, "https://aws.amazon.com/sns/pricing/", free=1_000)
KEY_USE = Price("uses of AWS's key", 0.03 / 10_000, "https://aws.amazon.com/kms/pricing/", free=20_000)

# MB of each function, which also decide its share of a core. stacks/functions.py deploys the same numbers.
MEMORY = {"ListRepos": 512, "FetchTraffic": 256, "StoreTraffic": 512, "SummarizeRun": 1024}

MEASURED = "docs/benchmarks.md, functions with their share of a core; memory and batches"
COUNTED = "tests/unit/cli/runs/test_cost_amounts.py"

# Up to SINGLES repositories, each has a child of its own. Beyond that, one child captures the repositories of a user in
# batches, and pauses when GitHub's limits of a minute demand it: the more often, the longer GitHub takes for a call.
SINGLES = Amount(200, COUNTED)
BATCH = Amount(50, COUNTED)
CALLS = Amount(4, COUNTED)  # for a repository
CALLS_A_MINUTE = Amount(540, COUNTED)  # if GitHub takes 150 ms for a call
CALLS_AN_HOUR = Amount(4500, COUNTED)  # the functions start again after a longer wait

# States that a run enters if nothing fails, each child of its Map, and each round of a child: a batch, or what a pause
# left of it. One more state leads from a round to the next.
RUN_STATES = Amount(9, COUNTED)
CHILD_STATES = Amount(2, COUNTED)
ROUND_STATES = Amount(4, COUNTED)
NEXT_STATES = Amount(1, COUNTED)

# Requests to S3. AWS also charges for requests of objects that do not exist.
RUN_PUTS = Amount(6, COUNTED)  # pages of the listing, manifest and summary, and three lists
RUN_GETS = Amount(2, COUNTED)  # the manifest, by the Map and by Summarize run
LANE_PUTS = Amount(1, COUNTED)  # the list of children, if they have several batches
ROUND_PUTS = Amount(2, COUNTED)  # the answers, and their receipts
ROUND_GETS = Amount(3, COUNTED)  # whether the run was stopped, the answers, and by Summarize run the receipts
BATCH_GETS = Amount(1, COUNTED)  # its line of the manifest, if the child has several batches

# The most for one repository and day: with traffic that day, referrers and paths.
REPOSITORY_READS = Amount(3, COUNTED)  # units: 14 days at once, the entry and the snapshot
# Units for one run, at most: the usual numbers of fifty repositories.
NEWS_READS = Amount(1300, "lambdas/summarize_run/read_record.py")
DAY_WRITES = Amount(1, COUNTED)  # units for a new or changed day
ENTRY_WRITES = Amount(1, COUNTED)
SNAPSHOT_WRITES = Amount(3, COUNTED)  # of 2 to 3 KB
DAY_BYTES = Amount(300, COUNTED)  # in the table, with the 100 bytes that DynamoDB adds to each item
SNAPSHOT_BYTES = Amount(2600, COUNTED)  # with these 100 bytes, too
ANSWERS_BYTES = Amount(2000, COUNTED)  # compressed, in an object of its own
ENTRY_BYTES = Amount(600, COUNTED)  # that Summarize run reads: the entry, and the item that maps its name to it

RUN_BYTES = Amount(600, COUNTED)  # a repository in the files of a run: manifest and receipts
RUN_DAYS = Amount(80 + 30, "stacks/storage.py")  # for which these files are kept

# Bytes that are logged.
CALL_LOGGED = Amount(1200, COUNTED)  # for each call of a function, including Lambda's own lines
REPOSITORY_LOGGED = Amount(1000, COUNTED)  # a line by Fetch traffic and one by Store traffic
LOGS_KEPT = Amount(3, "stacks/functions.py")  # months

# Seconds of the functions.
FETCH_START = Amount(8.0, MEASURED)  # a new process of Fetch traffic
FETCH = Amount(0.4, MEASURED)  # a batch of one
FETCH_MORE = Amount(0.1, MEASURED)  # each further repository of it
UNRESTED = Amount(45, COUNTED)  # repositories up to which no child rests, if GitHub takes 150 ms for a call
RESTED = Amount(2.7, COUNTED)  # a batch of one beyond that: its child rests, so that all keep GitHub's response time
STORE_START = Amount(3.0, MEASURED)  # a new process of Store traffic
STORE = Amount(0.1, MEASURED)
STORE_MORE = Amount(0.03, MEASURED)
LIST = Amount(3.0, MEASURED)
LIST_MORE = Amount(0.0025, MEASURED)  # each repository, if GitHub takes 150 ms for a page of 100
SUMMARIZE = Amount(5.0, MEASURED)
SUMMARIZE_MORE = Amount(0.0006, MEASURED)  # each repository
AT_ONCE = Amount(4, COUNTED)  # children that run at once, each with a function of its own to start

# The same for any number of repositories.
ALARMS = Amount(10, COUNTED)
METRICS = Amount(9, COUNTED)
# Uses of AWS's key for RepoTraffic in a run, at most: by two roles, every five minutes, until the run's deadline.
# Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html (table key cache)
KEY_USES = Amount(2 * 12 * 20, "traffic/clock.py")
# Bytes of a repository in the archived pages of a listing.
LISTED_BYTES = Amount(500, "tests/unit/lambdas/list_repos/test_listed_pages.py")
