"""Synthesizes the stack: run by `cdk` (cdk.json), or alone with `python app.py`."""

import os

from stacks.traffic_stack import traffic_app

if __name__ == "__main__":
    # The CDK CLI says in CDK_OUTDIR where it wants the cloud assembly.
    traffic_app(outdir=os.environ.get("CDK_OUTDIR", "cdk.out")).synth()
