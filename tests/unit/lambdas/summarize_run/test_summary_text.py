"""The complete text of a summary: every section with its numbers."""
# ruff: noqa: E501  # the lines are as long as they are in the mail

from datetime import date, timedelta
from typing import cast

import pytest

from lambdas.summarize_run.dangers import Dangers
from lambdas.summarize_run.deadlines import Watermark
from lambdas.summarize_run.headline import Facts, subject
from lambdas.summarize_run.message import CURES, links, message
from lambdas.summarize_run.outcome import Result
from lambdas.summarize_run.refusals import Refusals
from lambdas.summarize_run.stale import Stale
from traffic.contract import RunState
from traffic.unusual import Story, compare, sum_up, with_record, with_referrers

DAY = "2026-11-19"  # a Thursday
STATE: RunState = {
    "run": {"id": "run-1", "started": "2026-11-20T09:00:00Z", "date": "2026-11-18"},
    "manifest": {
        "bucket": "archive",
        "key": "manifest",
        "batches": 5,
        "repositories": 5,
        "not_due": {"2026-11-24": 2, "2026-11-22": 3},
    },
    "listing": {
        "parts": 1,
        "pauses": 0,
        "hidden_organizations": [1, 2],
        "missing": ["octo/typo", "acme"],
        "version_end": {"sunset": "2028-03-10"},
        "tokens": {"*": {"expires": "2026-11-23 09:00:00 UTC"}, "octo": {}},
    },
}


def day_before(days: int) -> str:
    """Return the day that is so many days before DAY."""
    return (date.fromisoformat(DAY) - timedelta(days=days)).isoformat()


def story(id_: int, name: str, views: int, *usual: int) -> Story:
    """Return a captured repository with its views on DAY, and on the same weekday of the weeks before."""
    result = Result(
        id_,
        name,
        name,
        "captured",
        items_changed=2,
        lowered=1,
        newest_day=DAY,
        recent={"day": DAY, "views": views, "before": 50, "weeks": [[700, 14], [350, 0]]},
    )
    return compare(result, DAY, {day_before(7 * week): count for week, count in enumerate(usual, 1)})


def mark(name: str) -> Watermark:
    """Return the watermark of a repository whose days will soon be lost."""
    return Watermark(name, name, "2026-11-10", "2026-11-11", (("2026-11-01", "2026-11-10"),))


SPIKE = with_record(story(1, "octo/cli", 900, 100, 90, 110), DAY, {day_before(age): 300 for age in range(1, 29)})
SILENCE = story(2, "octo/site", 2, 50, 60, 70)
REFERRED = with_referrers(story(3, "octo/docs", 70), {"a": {}, "b": {"t.co": 1234, "x.org": 20}})
STORIES = [SPIKE, SILENCE, REFERRED]
CAPTURED = cast("list[Result]", [each.result for each in STORIES])
FAILED = [Result(4, "octo/gone", outcome="gone or hidden", detail="404: Not Found"), Result(5, "octo/late")]

IN_DANGER = Dangers(
    "2026-11-20",
    newest_day="2026-11-16",
    failing={4: mark("octo/gone")},
    unlisted=[mark("octo/old")],
    unreached=[mark("acme/x"), mark("acme/y")],
    excluded=2,
    lost={"octo/docs": (("2026-10-28", "2026-10-29"), ("2026-11-02", "2026-11-02"))},
    partial={"octo/docs": frozenset({"2026-10-29"})},
    token_days_left=3,
    token_owner="octo",
    stale=Stale(
        "2026-11-19", {3: {"views": "2026-11-08", "clones": "2026-11-09"}}, {3: mark("octo/docs")}, "2026-11-20"
    ),
    refusals=Refusals(frozenset(), [("octo/waits", "no push access")]),
)

EVERYTHING = """\
The run failed: GitHub refuses the token: Bad credentials (GitHubAuthError).
What to do: Replace the token: traffic token. If there are several: traffic token --owner OWNER.

3 of 5 repositories captured, 6 days new or changed.
5 more were not due: GitHub's limit does not allow asking for all of them every day. None of them loses a day. The next 3 are due on 2026-11-22.
Newest day GitHub reported: 2026-11-19.
3 numbers were lower than before; the higher ones are kept.

2026-11-18:
  octo/docs: clones uniques 1, views count 3
  octo/site: GitHub reports nothing

Thursday 2026-11-19, the newest complete day:
972 views in 3 repositories, 150 a week before.

The week 2026-11-13 to 2026-11-19:
  2,100 views, +100 % (1,050 the week before)
  42 clones, from nothing (0 the week before)

Far above usual:
  octo/cli
    900 views, usual 100 (9.0 times as many)

Far below usual:
  octo/site
    2 views, usual 60

Most views ever on a day:
  octo/cli
    900 views; before, 300 on 2026-11-18

New referrers (views in 14 days):
  octo/docs
    t.co: 1,234
    x.org: 20

Most views, and the usual number on a Thursday:
  octo/cli
    ······█······· 900, usual 100
  octo/docs
    ·············· 70
  octo/site
    ······█······· 2, usual 60

1 gone or hidden. Deleted, hidden or moved out of reach; what was captured is kept.
  octo/gone
    404: Not Found
    newest day 2026-11-10, last captured on 2026-11-11; 4 days until days are lost for good

1 not reached. The run or their child execution ended too early: traffic executions RUN shows why.
  octo/late

1 repository refused last time, not due today:
  octo/waits: no push access

The token for octo expires in 3 days. Nothing can be captured after that, and 13 days later days are lost for good.
Replace it in time: traffic token --owner octo.
GitHub is late for all repositories: the newest day it reports is 2026-11-16, 4 days ago (usually 1 day). 10 days until days are lost for good.
4 days until days are lost for good, for the most urgent of the repositories that failed.
2 repositories captured lately could not be listed. 4 days until days are lost for good, for the most urgent of them.

1 repository has stale answers from GitHub; other answers of this run reach 2026-11-19. Run again: GitHub can alternate between stale and fresh answers.
  octo/docs
    views end on 2026-11-08, clones end on 2026-11-09; 4 days until days are lost for good

1 captured lately but not listed now (deleted, no push access, or hidden from the token):
  octo/old: newest day 2026-11-10, last captured on 2026-11-11; 4 days until days are lost for good
2 repositories captured lately are left out by the settings now; their history is kept.

1 repository has days that GitHub never returned completely and has deleted by now:
  octo/docs: 2026-10-28 lost, 2026-10-29 partial, 2026-11-02 lost

2 organizations are hidden from the token. Authorize the token for the organization: GitHub > Settings > Developer settings > Configure SSO.
Repositories in the settings that were not found (1): octo/typo
Owners in the settings without repositories (1): acme
This program uses version 2022-11-28 of GitHub's API, supported until 2028-03-10 at least; now GitHub stops answering it on 2028-03-10. Update this program before that.
The token expires on 2026-11-23 09:00:00 UTC.

Execution: run-1
https://console/states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:eu-west-1:1:execution:C:run-1
Charts and all history: traffic report --aws"""

HEALTHY = """\
Healthy: everything was captured, except 1 repository that GitHub refuses as before.

3 of 3 repositories captured, 6 days new or changed.
Newest day GitHub reported: 2026-11-19.
3 numbers were lower than before; the higher ones are kept.

Thursday 2026-11-19, the newest complete day:
972 views in 3 repositories, 150 a week before.

Far below usual:
  octo/site
    2 views, usual 60

Most views, and the usual number on a Thursday:
  octo/site
    ······█······· 2, usual 60
  and 2 more with 970 views

1 not captured: GitHub refuses it as before. Monday's summary lists it.

Execution: run-1
Charts and all history: traffic report"""

ADVICE = {
    "failed": "GitHub failed to answer; the next run asks again.",
    "not reached": "The run or their child execution ended too early: traffic executions RUN shows why.",
    "no push access": "Give the token Administration (read) if it is fine-grained, or repo if it is classic, and its owner push access; or exclude them.",
    "token lacks Administration (read)": "Give the token the permission Administration (read).",
    "token not authorized for the organization": "Authorize the token for the organization: GitHub > Settings > Developer settings > Configure SSO.",
    "token lives longer than the organization allows": "Shorten the token's lifetime at the address that GitHub names, or make a new token.",
    "address not on the organization's IP allow list": "Have the address added to the organization's IP allow list, or run from a network it allows.",
    "access blocked by GitHub": "GitHub blocks access; its message says why.",
    "gone or hidden": "Deleted, hidden or moved out of reach; what was captured is kept.",
    "ArchiveBusyError": "Start the execution again: what is stored already does not change.",
    "GitHubUnavailableError": "Nothing: the next run asks again. If it fails too, see https://www.githubstatus.com",
    "TableBusyError": "Start the execution again: what is stored already does not change.",
    "GitHubAuthError": "Replace the token: traffic token. If there are several: traffic token --owner OWNER.",
    "GitHubLimitError": "Nothing: the next run asks again. Another program may be using up the token's limit.",
    "GitHubRejectionError": "This is a bug in this program, or GitHub has changed: please report it.",
    "TokenPermissionError": "Give the token the permission Administration (read), or use a classic token with repo.",
    "InvalidInputError": "Start the execution again with a valid input.",
    "NothingSelectedError": "Correct the settings (traffic settings shows them), or give the token repositories that it can push to.",
    "IncompleteReplayError": "Start the execution again: what is stored already does not change.",
    "InvalidSettingError": "Deploy again with a valid setting.",
    "TokenUnavailableError": "Check that the secret exists and that the functions' roles may read it.",
    "Sandbox.Timedout": "Start the execution again. If it fails the same way, the function's log shows how far it came.",
    "States.Timeout": "Start the execution again. If it fails the same way, the function's log shows how far it came.",
    "Runtime.ExitError": "Start the execution again. If it fails the same way, the function's log shows how far it came.",
    "Lambda.Unknown": "Start the execution again. If it fails the same way, the function's log shows how far it came.",
    "Runtime.OutOfMemory": "Raise the function's memory in stacks/functions.py, deploy, and start the execution again.",
}


def test_a_summary_with_everything_has_every_section_in_order() -> None:
    """Failures and what to do come first, then the news, then the dangers; the links come last."""
    facts = Facts(
        STATE,
        [*CAPTURED, *FAILED],
        "GitHubAuthError",
        "GitHub refuses the token: Bad credentials",
        ["2 repositories not captured"],
        IN_DANGER,
        sum_up(CAPTURED, STORIES),
        digest=True,
        day_items={"octo/docs": {"views-count": 3, "clones-uniques": 1}, "octo/site": {}},
    )
    where = links("arn:aws:states:eu-west-1:1:execution:C:run-1", console="https://console")

    assert message(facts, where) == EVERYTHING
    assert subject(facts, "2026-11-18") == "GitHub traffic 2026-11-18: FAILED, GitHubAuthError, token expires in 3 days"


def test_a_healthy_summary_is_short() -> None:
    """On a laptop there is no console to link to."""
    facts = Facts(
        {"run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"}},
        CAPTURED,
        "",
        dangers=Dangers("2026-11-20", newest_day=DAY, refusals=Refusals(frozenset({9}))),
        news=sum_up(CAPTURED, [SILENCE]),
    )

    assert message(facts, links(None, console=None)) == HEALTHY


@pytest.mark.parametrize(
    ("stories", "digest", "fact"),
    [
        ([SPIKE, SILENCE], False, "octo/cli: 9.0 times its usual views"),
        ([story(1, "octo/cli", 1500, 100, 100, 100)], False, "octo/cli: 15 times its usual views"),
        ([story(1, "octo/cli", 25, 0, 0, 0)], False, "octo/cli: 25 views, usually none"),
        ([with_record(story(1, "octo/cli", 90), DAY, {day_before(age): 80 for age in range(1, 29)}), SILENCE], False,
         "octo/cli: most views ever"),
        ([SILENCE], False, "octo/site: 2 views, usual 60"),
        ([REFERRED], True, "700 views in 7 days"),
        ([REFERRED], False, ""),
    ],
)  # fmt: skip
def test_the_subject_has_the_most_unusual_fact(stories: list[Story], digest: bool, fact: str) -> None:
    """A spike is more urgent than a record, and a record than a silence; a usual week has only its total."""
    results = cast("list[Result]", [each.result for each in stories])
    dangers, news = Dangers("2026-11-20", newest_day=DAY), sum_up(results, stories)
    text = subject(Facts(STATE, results, "", dangers=dangers, news=news, digest=digest), DAY)

    many = "1 repository" if len(results) == 1 else f"{len(results)} repositories"
    assert text == f"GitHub traffic 2026-11-19: {many} captured" + (f", {fact}" if fact else "")


def test_every_failure_has_its_advice() -> None:
    """People read these texts when something has failed."""
    assert CURES == ADVICE
