"""The command line `traffic`: plain boto3 calls, so that the local engine and AWS differ by an endpoint only."""
