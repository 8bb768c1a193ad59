"""The controls: what tests and demos tell the simulated GitHub, and ask it. GitHub itself has none of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from simulated_github.account import Account, UnknownRepositoryError
from simulated_github.clock import format_time, parse_time
from simulated_github.credentials import Credentials
from simulated_github.fault_rules import rule_from_json
from simulated_github.github import GitHub

Control = Callable[[GitHub, Mapping[str, str], Any], Any]  # with the query and the JSON that came
MOST_TRUE_DAYS = 4000


def control_routes(github: GitHub, prefix: str) -> list[web.RouteDef]:
    """List the controls' routes below a prefix."""
    return [
        web.route(method, f"{prefix}/{name}", _answering(github, control))
        for (method, name), control in CONTROLS.items()
    ]


def _answering(github: GitHub, control: Control) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer in JSON; what cannot be understood is a 422 that says why."""

    async def handle(request: web.Request) -> web.Response:
        try:
            content = await request.json() if request.can_read_body else {}
            with github.lock:
                return web.json_response(control(github, request.query, content))
        except (ValueError, TypeError, LookupError, AttributeError) as exc:
            name = "no such repository" if isinstance(exc, UnknownRepositoryError) else type(exc).__name__
            return web.json_response({"message": f"{name}: {exc}"}, status=422)

    return handle


def _set_time(github: GitHub, query: Mapping[str, str], content: Any) -> Any:
    """`{"at": "2026-11-20T09:00:00Z"}` makes that the present."""
    github.clock.set(parse_time(content["at"]))
    return _tell_time(github, query, content)


def _tell_time(github: GitHub, _query: Mapping[str, str], _content: Any) -> Any:
    """Tell the simulated time."""
    return {"at": format_time(github.clock.now())}


def _add_fault(github: GitHub, query: Mapping[str, str], content: Any) -> Any:
    """Add a rule; see `fault_rules.rule_from_json`."""
    github.faults.append(rule_from_json(content))
    return _list_faults(github, query, content)


def _list_faults(github: GitHub, _query: Mapping[str, str], _content: Any) -> Any:
    """Tell the rules, and how many calls matched each."""
    return [rule.as_json() for rule in github.faults]


def _clear_faults(github: GitHub, _query: Mapping[str, str], _content: Any) -> Any:
    """Take back every fault."""
    github.faults.clear()
    return []


def _list_calls(github: GitHub, query: Mapping[str, str], _content: Any) -> Any:
    """Tell the calls so far, filtered by `?repository=`, `?endpoint=` and `?status=`."""
    wanted = [(key, query[key]) for key in ("repository", "endpoint", "status") if key in query]
    calls = [call.as_json() for call in github.calls]
    chosen = [call for call in calls if all(str(call[key]) == value for key, value in wanted)]
    return {"count": len(chosen), "calls": chosen}


def _forget_calls(github: GitHub, _query: Mapping[str, str], _content: Any) -> Any:
    """Count from zero again."""
    github.calls.clear()
    return {"count": 0, "calls": []}


def _tell_truth(github: GitHub, query: Mapping[str, str], _content: Any) -> Any:
    """Tell the true numbers of `?repo=owner/name` for whole days `&from=2026-11-01&to=2026-11-20`."""
    repository = github.account.get(query["repo"])
    first, last = (date.fromisoformat(query[key]) for key in ("from", "to"))
    days = [first + timedelta(days=n) for n in range(min((last - first).days + 1, MOST_TRUE_DAYS))]
    truths = [(day, github.traffic.truth(repository, day)) for day in days]
    return [{"date": day.isoformat(), **truth._asdict()} for day, truth in truths if truth]


def _list_repositories(github: GitHub, _query: Mapping[str, str], _content: Any) -> Any:
    """Tell all repositories, by name."""
    return [asdict(repository) for repository in github.account.sorted_by_name()]


def _operate(github: GitHub, query: Mapping[str, str], content: Any) -> Any:
    """`{"operation": "rename", "name": "octo/docs", "to": "acme/docs"}`; see `_operation` for the others."""
    _operation(github.account, content.pop("operation"))(**content)
    return _list_repositories(github, query, content)


def _operation(account: Account, name: str) -> Callable[..., Any]:
    """Find an operation on repositories by its name."""
    operations: dict[str, Callable[..., Any]] = {
        "create": account.create,
        "rename": account.rename,
        "delete": account.delete,
        "change": account.change,
        "hide_organization": account.hide_organization,
    }
    return operations[name]


def _change_token(github: GitHub, _query: Mapping[str, str], content: Any) -> Any:
    """`{"operation": "revoke"}`; also `accept` with "token", `revoke_after` with "calls" or "repositories"."""
    credentials: Credentials = github.credentials
    operations: dict[str, Callable[..., None]] = {
        "revoke": credentials.revoke,
        "accept": credentials.accept,
        "revoke_after": credentials.revoke_after,
    }
    operations[content.pop("operation")](**content)
    return {}


CONTROLS: dict[tuple[str, str], Control] = {
    ("POST", "_at"): _set_time,
    ("GET", "_at"): _tell_time,
    ("POST", "_faults"): _add_fault,
    ("GET", "_faults"): _list_faults,
    ("DELETE", "_faults"): _clear_faults,
    ("GET", "_calls"): _list_calls,
    ("DELETE", "_calls"): _forget_calls,
    ("GET", "_truth"): _tell_truth,
    ("GET", "_repositories"): _list_repositories,
    ("POST", "_repositories"): _operate,
    ("POST", "_token"): _change_token,
}
