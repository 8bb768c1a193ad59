"""The command line `traffic`. Commands call AWS through boto3, so the local engine is only another endpoint."""
