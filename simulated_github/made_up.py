"""What GitHub says of a made-up repository beside its traffic: description, stars, times. Same id, same facts."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from simulated_github.clock import format_time

BORN = datetime(2012, 3, 14, 15, 9, 26, tzinfo=UTC)
OLDEST = timedelta(days=5000)  # from there to the last push
LANGUAGES = ("Python", "Go", "Rust", "TypeScript", "JavaScript", "C++", "Java", "Shell", None)
LICENSES = {"mit": "MIT License", "apache-2.0": "Apache License 2.0", "gpl-3.0": "GNU General Public License v3.0"}
TEXT = """
a simple fast small portable modern minimal experimental opinionated library tool server client command line interface
framework operator provider module plugin extension theme parser compiler runtime scheduler scraper crawler bot
integration webhook workflow action deployment monitoring metrics tracing alerting dashboard scanner authentication
encryption password manager driver migration schema query cache queue broker consensus raft storage object filesystem
backup mirror proxy tunnel resolver generator template starter kit design system icons animation chart map weather
finance trading wallet firmware sensor robotics simulation notebook research reproduction coursework algorithms
structures training inference dataset image video audio game engine physics renderer shader terminal editor dotfiles
website blog documentation examples tutorials list curated resources for with of to in on your from using and kubernetes
terraform postgres sqlite kafka redis grpc graphql rest openapi oauth mqtt bluetooth vulkan wasm android ios react vue
"""
WORDS = TEXT.split()


def made_up_facts(repo_id: int) -> dict[str, Any]:
    """Write the fields that differ from repository to repository, as real ones do: most have few stars, a few many."""
    luck = Random(repo_id)
    stars = (int(luck.paretovariate(0.6)) - 1) % 300_000 if luck.random() < 0.6 else 0
    forks, issues = int(stars * luck.random() * 0.4), int(luck.expovariate(0.1))
    created = BORN + OLDEST * luck.random()
    pushed = created + (BORN + OLDEST - created) * luck.random()
    described = " ".join(luck.choices(WORDS, k=luck.randint(4, 14))).capitalize()
    return {
        "description": described if luck.random() < 0.85 else None,
        "homepage": f"https://{luck.choice(WORDS)}-{luck.choice(WORDS)}.dev" if luck.random() < 0.3 else None,
        "language": luck.choice(LANGUAGES),
        "license": _license(luck.choice([*LICENSES, None])),
        "size": int(luck.paretovariate(0.4)) % 1_000_000,
        **dict.fromkeys(("stargazers_count", "watchers_count", "watchers"), stars),
        **dict.fromkeys(("forks_count", "forks"), forks),
        **dict.fromkeys(("open_issues_count", "open_issues"), issues),
        "created_at": format_time(created),
        "pushed_at": format_time(pushed),
        "updated_at": format_time(pushed + timedelta(seconds=luck.randrange(100_000))),
    }


def _license(key: str | None) -> dict[str, str] | None:
    if key is None:
        return None
    url = f"https://api.github.com/licenses/{key}"
    return {"key": key, "name": LICENSES[key], "spdx_id": key.upper(), "url": url, "node_id": "MDc6TGljZW5zZTEz"}
