"""A death, or a failure of AWS, at every I/O boundary: in the end all is as if it had not been.

The boundaries are listed by playing the stories, and checked against the source: a new call of a
port that no story reaches fails here. `make campaign` has every fault at every boundary of every
story; here each kind of boundary has its different faults once, and two stories die everywhere.
"""

from collections.abc import Iterator

import pytest

from tests.fixtures import cloud as clouds
from tests.fixtures.cloud import Cloud
from tests.reliability import crashes, sites, stories
from tests.reliability.boundaries import Boundary
from tests.reliability.crashes import Crash
from tests.reliability.stories import STORIES, Story

# Calls of ports that no story makes, and why.
NOT_WALKED = {
    "authorize: Authorize.__call__ self.keys.find": "reads only, before anything begins",
    "callback_secrets: CallbackSecrets.read self.versions.get": "reads only",
    "callback_secrets: CallbackSecrets.rotate self.versions.get": "no prediction is touched: "
    "test_callback_secrets",
    "callback_secrets: CallbackSecrets.rotate self.versions.replace": "one write, the same",
    "characters: ReadCharacter.__call__ self.characters.version": "reads only",
    "assemble: AssembleStoryboard.finish self.storyboards.get": "two end a board at once: a "
    "write that is sent twice does that, in the tests below",
    "characters: changed_since characters.get": "no prediction is touched: test_idempotency",
    "once: Once.__call__ self.claims.hand_over": "a refusal: test_idempotency",
    "once: Once._claim self.claims.hand_over": "a day later: test_idempotency",
    "once: Once._take_over self.claims.held": "a write that is sent twice, in the tests below",
    "feed: ReadFeed._look self.predictions.get_many": "reads only",
    "feed: ReadFeed._look self.storyboards.get": "reads only",
    "feed: ReadFeed._look self.storyboards.scenes": "reads only",
    "cancel: Cancel.row self.predictions.get": "somebody is faster: races in test_cancel",
    "allowance: Allowance._overtaken self.budgets.get": "reads only; races in test_budgets",
    "cancel: Cancel.prediction self.storyboards.get": "reads only",
    "keys: ManageKeys.create self.keys.get": "reads only",
    "keys: ManageKeys.issue self.keys.add": "one write, no prediction is touched: test_keys",
    "keys: ManageKeys.list self.keys.list": "reads only",
    "keys: ManageKeys.list self.budgets.get_many": "reads only",
    "keys: ManageKeys._find self.keys.get": "reads only",
    "keys: ManageKeys._this_month self.budgets.get": "reads only",
    "keys: ManageKeys.made self.keys.get": "reads only",
    "keys: ManageKeys.revoke self.keys.revoke": "one write, the same",
    "settle: Settle._end self.predictions.get": "queued again meanwhile: test_budgets",
    "cancel: Cancel.storyboard self.storyboards.get": "it ends meanwhile: test_cancel_boards",
    "assemble: AssembleStoryboard._decided self.storyboards.scene": "two choose at once: a write "
    "that is sent twice does that, in the tests below",
    "choose: ChooseCandidate.__call__ self.storyboards.scene": "the same",
    "choose: SelectCandidate._find self.predictions.get_many": "reads only",
    "choose: SelectCandidate._find self.storyboards.get": "reads only",
    "choose: SelectCandidate._find self.storyboards.scenes": "reads only",
    "choose: SelectCandidate.lock self.storyboards.choose": "one write, the same",
    "choose: SelectCandidate.select self.storyboards.choose": "one write, the same",
    **dict.fromkeys(
        (
            "exports: ReadExports.get self.exports.get",
            "exports: ReadExports.list self.exports.list",
            "exports: RequestExport.__call__ self.exports.add",
            "exports: RequestExport.__call__ self.exports.get",
            "exports: RequestExport.__call__ self.exports.start_again",
            "exports: RequestExport.send self.queue.enqueue",
            "make_export: MakeExport.__call__ self.exports.begin",
            "make_export: MakeExport.__call__ self.exports.get",
            "make_export: MakeExport.__call__ self.exports.release",
            "make_export: MakeExport._end self.exports.finish",
            "make_export: MakeExport._make self.files.put_file",
            "reconcile: Reconcile.export self.export_queue.enqueue",
            "reconcile: Reconcile.export self.exports.get",
            "reconcile: Reconcile.export self.exports.release",
        ),
        "no prediction is touched, and a file is made anew: test_exports",
    ),
    **dict.fromkeys(
        (
            "shares: ManageShares.create self.shares.add",
            "shares: ManageShares.list self.shares.list",
            "shares: ManageShares.made self.shares.get",
            "shares: ManageShares.revoke self.shares.get",
            "shares: ManageShares.revoke self.shares.revoke",
        ),
        "no prediction is touched: test_shares",
    ),
    "wait: Wait.__call__ self.places.held": "reads only, and a place comes back by itself",
}
Listed = dict[Story, list[Boundary]]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with clouds.running() as running:
        yield running


@pytest.fixture(scope="module")
def listed(cloud: Cloud) -> Listed:
    return crashes.listed(cloud)


def test_the_stories_cross_every_boundary_that_the_source_has(listed: Listed) -> None:
    places = {each.place for trace in listed.values() for each in trace if each.place}
    crossed = set(map(sites.site_of, places))
    missed = {str(s) for s in sites.sites() if (s.file, s.line, s.column) not in crossed}
    assert missed == NOT_WALKED.keys()


def test_the_stories_are_told_through_every_function(listed: Listed) -> None:
    functions = {each.name.partition(":")[0] for trace in listed.values() for each in trace}
    assert functions == {
        *("create_prediction", "api", "submit", "webhook", "callback", "reconcile", "assemble"),
        *("cancel", "choose"),
    }
    for trace in listed.values():
        names = [each.name for each in trace]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_each_kind_of_boundary_with_its_different_faults(
    cloud: Cloud, listed: Listed, story: Story
) -> None:
    """Those whose shortest story is this one."""
    chosen = [each for each in crashes.one_of_each_kind(listed) if each.story is story]
    assert {str(each): wrong for each in chosen if (wrong := each.play(cloud))} == {}


@pytest.mark.parametrize("name", ["board falls back", "picture within budget"])
def test_every_death_of_a_whole_story(cloud: Cloud, listed: Listed, name: str) -> None:
    story = stories.BY_NAME[name]
    chosen = [Crash(story, each, death) for each in listed[story] for death in each.deaths]
    assert len(chosen) > len(listed[story])
    assert {str(each): wrong for each in chosen if (wrong := each.play(cloud))} == {}


def test_everything_comes_in_the_middle_of_everything(cloud: Cloud, listed: Listed) -> None:
    """Once at each kind of boundary that these stories have."""
    chosen = {story: listed[story] for story in stories.INTERRUPTED}
    found = dict(crashes.interrupted_once_at_each_kind(cloud, chosen))
    assert len(found) > 40
    assert {where: wrong for where, wrong in found.items() if wrong} == {}
