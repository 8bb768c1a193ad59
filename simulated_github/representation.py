"""GitHub's objects in JSON, with made-up facts about each repository.

Source: https://github.com/github/rest-api-description (MIT), schemas Repository, Simple User, Private User.
"""

import base64
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from simulated_github.account import SimulatedAccount, SimulatedRepository
from simulated_github.simulated_clock import format_time

CREATED = "2019-03-14T15:09:26Z"

# The links in a repository's object, after the repository's own address.
REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
USER_LINKS = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
}
THE_SAME: dict[str, Any] = {
    "mirror_url": None,
    **dict.fromkeys(("has_downloads", "has_issues", "has_projects", "has_wiki", "allow_forking"), True),
    **dict.fromkeys(("has_pages", "has_discussions", "disabled", "is_template", "web_commit_signoff_required"), False),
    "default_branch": "main",
}


def owner_object(account: SimulatedAccount, login: str, api: str) -> dict[str, Any]:
    """Return the object of an owner: the account is a user, every other owner is an organization.

    Args:
        account: The account that asks.
        login: The owner's name.
        api: The API's own address, without a slash at the end.
    """
    return _user_object(account, login, api, "User" if login.lower() == account.login.lower() else "Organization")


def _user_object(account: SimulatedAccount, login: str, api: str, kind: str) -> dict[str, Any]:
    number = account.owner_id(login)
    return {
        "login": login,
        "id": number,
        "node_id": _node_id(kind[0], number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": f"{api}/users/{login}",
        "html_url": f"https://github.com/{login}",
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
        **{key: f"{api}/users/{login}{rest}" for key, rest in USER_LINKS.items()},
    }


def own_user_object(account: SimulatedAccount, login: str, api: str) -> dict[str, Any]:
    """Return the object of a token's user, as in `/user`."""
    private = sum(repository.visibility != "public" for repository in account)
    return {
        **_user_object(account, login, api, "User"),
        **dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"), None),
        "blog": "",
        "public_repos": len(account.sorted_by_name()) - private,
        "total_private_repos": private,
        "owned_private_repos": private,
        **dict.fromkeys(("public_gists", "private_gists", "followers", "following", "disk_usage", "collaborators"), 0),
        "two_factor_authentication": True,
        "created_at": CREATED,
        "updated_at": CREATED,
    }


def repository_object(account: SimulatedAccount, repository: SimulatedRepository, api: str) -> dict[str, Any]:
    """Return the object of a repository in a list; `/repos/{owner}/{repo}` adds fields to it.

    Args:
        account: The account that asks.
        repository: The repository.
        api: The API's own address, without a slash at the end.
    """
    name, here = repository.name, f"{api}/repos/{repository.name}"
    return {
        "id": repository.id,
        "node_id": _node_id("R", repository.id),
        "name": repository.short_name,
        "full_name": name,
        "private": repository.visibility != "public",  # GitHub marks internal ones as private, too
        "visibility": repository.visibility,
        "owner": owner_object(account, repository.owner, api),
        "fork": repository.fork,
        "archived": repository.archived,
        "html_url": f"https://github.com/{name}",
        "url": here,
        **{key: here + rest for key, rest in REPOSITORY_LINKS.items()},
        "git_url": f"git://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "clone_url": f"https://github.com/{name}.git",
        "svn_url": f"https://github.com/{name}",
        **THE_SAME,
        "temp_clone_token": f"A{repository.id:028}" if repository.private else "",
        **made_up_facts(repository.id),
        "topics": list(repository.topics),
        "permissions": {
            "admin": repository.push and repository.admin,
            "maintain": repository.push and repository.admin,
            "push": repository.push,
            "triage": repository.push,
            "pull": True,
        },
    }


def single_repository_object(account: SimulatedAccount, repository: SimulatedRepository, api: str) -> dict[str, Any]:
    """Return the object of a repository in `/repos/{owner}/{repo}`: lists lack the number of watchers."""
    written = repository_object(account, repository, api)
    return {**written, "network_count": written["forks_count"], "subscribers_count": written["stargazers_count"] // 9}


def _node_id(kind: str, number: int) -> str:
    """Return a node id in GitHub's new form."""
    return f"{kind}_{base64.urlsafe_b64encode(b'kgDO' + number.to_bytes(4, 'big')).decode().rstrip('=')}"


BORN = datetime(2012, 3, 14, 15, 9, 26, tzinfo=UTC)
OLDEST = timedelta(days=5000)  # from BORN to the last push
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
    """Return the fields that differ between repositories; the same id results in the same facts.

    As on GitHub, most repositories have few stars, and a few have many.
    """
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
