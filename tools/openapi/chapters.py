"""The story, chapter by chapter: a request of every operation, with every answer it may have."""

from typing import Any

from storyhook.domain.errors import DownloadFailed
from storyhook.domain.export import MAX_ATTEMPTS
from storyhook.http import pages
from storyhook.usecases.pictures import upload_key
from storyhook.web.request import Answer as WebAnswer
from tests.fixtures import events
from tests.fixtures.events import queue
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Gateway
from tests.fixtures.pictures import picture
from tests.fixtures.world import failed
from tools.openapi.story import Story


def told(stage: Stage) -> Story:
    """The whole story, with a request of every operation."""
    story = Story(stage, Gateway(stage))
    for part in (
        *(_characters, _references, _one_picture, _other_ends, _board, _shares, _candidates),
        *(_sheet, _the_end_of_marcus),
        *(_keys, _secrets, _pages, _refused),
    ):
        part(story)
    return story


FROM_BEHIND = "https://images.example.com/elena-back.png"
ELENA = {
    "id": "elena",
    "name": "Elena",
    "description": "young woman with long red hair, green eyes",
    "outfit": "brown leather jacket",
    "references": [
        {"url": events.REFERENCE, "role": "face", "angle": "front"},
        {"url": FROM_BEHIND, "role": "full_body", "angle": "back"},
    ],
}
PREDICTION = {**events.PREDICTION, "callback_url": events.CALLBACK_URL}
STORYBOARD = {
    "title": "The ancient map",
    "model": "flux-2-pro",
    "fallback_models": ["rep-flux2-pro"],
    "fallback_on_block": True,
    "style": "storybook watercolour",
    "aspect_ratio": "16:9",
    "seed": 12345,
    "max_cost": "1.00",
    "callback_url": events.CALLBACK_URL,
    "callback_events": ["scene.completed", "storyboard.completed"],
    "characters": [events.CHARACTER],
    "scenes": [
        {
            "description": "Elena and Marcus meet for the first time at a crowded marketplace",
            "characters": ["elena", "marcus"],
            "setting": "medieval fantasy marketplace with colorful stalls and busy crowds",
            "shot": "wide",
            "light": "noon",
            "caption": "They meet.",
            "overrides": {"elena": {"outfit": "green cloak"}},
        },
        {"description": "Marcus unrolls the map", "characters": ["marcus"]},
        {"description": "Elena walks into the hills", "characters": ["elena"]},
    ],
}


ELENA_ALONE = {
    "model": "flux-2-pro",
    "scenes": [{"description": "Elena finds the way back", "characters": ["elena"]}],
}


def _characters(story: Story) -> None:
    story.stage.web.pages[FROM_BEHIND] = story.stage.web.pages[events.REFERENCE]
    story.ask("createCharacter", "POST /characters", ELENA, name="new")
    better = {**ELENA, "outfit": "green cloak"}
    story.ask("createCharacter", "POST /characters", better, name="nextVersion")
    story.ask("getCharacter", "GET /characters/elena")
    story.ask("createCharacter", "POST /characters", events.CHARACTER, name="second")
    story.ask("listCharacters", "GET /characters", query={"limit": "1"})
    change = {"outfit": "brown leather jacket", "version": 2}
    story.ask("changeCharacter", "PATCH /characters/elena", change, name="onlyIfStillTheNewest")
    story.ask("changeCharacter", "PATCH /characters/elena", change, name="changedMeanwhile")
    story.ask("listVersions", "GET /characters/elena/versions", query={"limit": "2"})
    story.ask("getCharacter", "GET /characters/elena", query={"version": "1"}, name="olderVersion")
    story.ask("listModels", "GET /models", query={"sort": "price"})


def _references(story: Story) -> None:
    """One that is uploaded."""
    file = picture(768, 1024)
    wanted = {"content_type": "image/png", "bytes": len(file)}
    form = story.ask("createUpload", "POST /uploads", wanted)
    here = "/characters/marcus/references"
    upload = {"upload": form["id"], "role": "full_body", "angle": "back"}
    story.ask("addReference", f"POST {here}", upload, name="noFileYet")
    story.stage.images.put(upload_key("acme", form["id"]), file, "image/png")
    grown = story.ask("addReference", f"POST {here}", upload, name="uploaded")
    story.ask("addReference", f"POST {here}", upload, name="thereAlready")
    story.ask("removeReference", f"DELETE {here}/{grown['references'][-1]['id']}")


def _one_picture(story: Story) -> None:
    dry = {"dry_run": "true"}
    story.ask("createPrediction", "POST /predictions", PREDICTION, name="dryRun", query=dry)
    one = {**PREDICTION, "model": "kontext"}
    story.ask("createPrediction", "POST /predictions", one, name="dryRunOfOneReference", query=dry)
    once = {"idempotency-key": "the map, by candlelight"}
    made = story.ask(
        "createPrediction", "POST /predictions", PREDICTION, name="create", headers=once
    )
    story.ask("createPrediction", "POST /predictions", PREDICTION, name="again", headers=once)
    other = {**PREDICTION, "seed": 1}
    story.ask("createPrediction", "POST /predictions", other, name="keyReused", headers=once)
    here = f"/predictions/{made['id']}"
    story.ask("getPrediction", f"GET {here}", name="running")
    story.hear(made["id"])
    story.ask("getPrediction", f"GET {here}", name="succeeded")
    story.ask("cancelPrediction", f"POST {here}/cancel", name="tooLate")
    story.deliver()
    listed = story.ask("listCallbacks", "GET /callbacks", query={"subject": made["id"]})
    callback = listed["items"][0]["urls"]
    story.ask("getCallback", f"GET {callback['self']}", name="delivered")
    silent = DownloadFailed("app.example.com did not answer.", retryable=True)
    for name, page in (
        ("silent", silent),
        ("failing", WebAnswer(500, b"oops", False)),
        ("disabled", WebAnswer(410, b"gone", False)),
    ):
        story.stage.web.pages[events.CALLBACK_URL] = page
        story.ask("replayCallback", f"POST {callback['replay']}")
        story.deliver()
        story.ask("getCallback", f"GET {callback['self']}", name=name)


def _other_ends(story: Story) -> None:
    """Blocked, failed, queued because the provider was busy, canceled."""
    for end, how in (("blocked", {"blocked": True}), ("failed", {})):
        made = story.ask("createPrediction", "POST /predictions", PREDICTION, name="create")
        story.hear(made["id"], failed, **how)
        story.ask("getPrediction", f"GET /predictions/{made['id']}", name=end)
    story.deliver()
    failing = story.ask("listCallbacks", "GET /callbacks", query={"status": "failed"})["items"][0]
    story.ask("getCallback", f"GET {failing['urls']['self']}", name="notSent")
    story.stage.web.pages[events.CALLBACK_URL] = WebAnswer(200, b"", False)
    story.ask("replayCallback", f"POST {failing['urls']['replay']}")
    story.deliver()
    busy = {**PREDICTION, "seed": 429}
    made = story.ask("createPrediction", "POST /predictions", busy, name="queued")
    story.ask("cancelPrediction", f"POST /predictions/{made['id']}/cancel", name="inTime")
    made = story.ask("createPrediction", "POST /predictions", PREDICTION, name="create")
    story.ask("cancelPrediction", f"POST /predictions/{made['id']}/cancel", name="asked")
    story.ask("listPredictions", "GET /predictions", query={"limit": "2"})


def _board(story: Story) -> None:
    """Of three scenes one succeeds, one is blocked and moves on, and the last is canceled."""
    dry = {"dry_run": "true"}
    story.ask("createStoryboard", "POST /storyboards", STORYBOARD, name="dryRun", query=dry)
    board = story.ask("createStoryboard", "POST /storyboards", STORYBOARD, name="create")
    here = f"/storyboards/{board['id']}"
    first, second, _ = (scene["candidates"][0] for scene in board["scenes"])
    story.submit(first, second)
    story.hear(first)
    story.hear(second, failed, blocked=True)
    story.submit(second)
    story.ask("getStoryboard", f"GET {here}", name="running")
    story.ask("createExport", f"POST {here}/exports", {"format": "pdf"}, name="boardIsRunning")
    events = f"GET {here}/events"
    news = story.ask("listEvents", events, query={"limit": "2", "wait": "20"}, name="fromTheStart")
    story.ask("createStoryboard", "POST /storyboards", ELENA_ALONE, name="oneCharacter")
    story.ask("deleteCharacter", "DELETE /characters/elena", name="inUse")
    older = {"outfit": "green cloak"}
    story.ask("changeCharacter", "PATCH /characters/elena", older, name="scenesAreStale")
    story.ask("listStale", "GET /characters/elena/stale", query={"limit": "1"})
    replaced = story.ask("getPrediction", f"GET /predictions/{second}", name="replaced")
    story.ask("cancelStoryboard", f"POST {here}/cancel", name="asked")
    fallback = f"/predictions/{replaced['replaced_by']}"
    story.ask("getPrediction", f"GET {fallback}", name="fallback")
    story.hear(replaced["replaced_by"], canceled)
    story.stage.run("assemble", {"storyboard_id": board["id"]})
    story.ask("getStoryboard", f"GET {here}", name="canceled")
    story.ask("cancelStoryboard", f"POST {here}/cancel", name="isOver")
    story.ask("listEvents", events, query={"after": news["next"]}, name="goingOn")
    _exports(story, f"{here}/exports")
    scenes = [{"description": "A lighthouse in a storm"}]
    short = {"title": "No people", "model": "flux-2-pro", "scenes": scenes}
    story.ask("createStoryboard", "POST /storyboards", short, name="withoutCharacters")
    listed = story.ask("listStoryboards", "GET /storyboards", query={"limit": "1"})
    after = {"cursor": listed["next_cursor"]}
    story.ask("listStoryboards", "GET /storyboards", query=after, name="nextPage")
    story.deliver()
    listed = story.ask("listCallbacks", "GET /callbacks", query={"limit": "2"}, name="page")
    told = next(each for each in listed["items"] if each["type"] == "storyboard.completed")
    story.ask("getCallback", f"GET {told['urls']['self']}", name="ofStoryboard")


def _candidates(story: Story) -> None:
    """Two pictures of a scene: the checks choose one, the caller the other."""
    scenes = [{"description": "A lighthouse in a storm", "candidates": 2}]
    wanted = {"title": "Two to choose from", "model": "flux-2-pro", "scenes": scenes}
    board = story.ask("createStoryboard", "POST /storyboards", wanted, name="candidates")
    here, [scene] = f"/storyboards/{board['id']}", board["scenes"]
    first, second = scene["candidates"]
    path = f"{here}/scenes/{scene['id']}"
    story.ask("selectCandidate", f"POST {path}/select", {"prediction": first}, name="notYet")
    story.submit(first, second)
    for each in (first, second):
        story.hear(each)
    story.stage.run("choose", {"storyboard_id": board["id"], "position": 1})
    story.stage.run("assemble", {"storyboard_id": board["id"]})
    story.ask("getStoryboard", f"GET {here}", name="chosen")
    story.ask("selectCandidate", f"POST {path}/select", {"prediction": second}, name="another")
    story.ask("lockScene", f"POST {path}/lock", name="locked")
    story.ask("selectCandidate", f"POST {path}/select", {"prediction": first}, name="locked")
    story.ask("unlockScene", f"POST {path}/unlock", name="unlocked")


def _shares(story: Story) -> None:
    """A link to the newest board, what it may not read, and its end."""
    board = story.ask("listStoryboards", "GET /storyboards", query={"limit": "1"})["items"][0]
    here, once = f"/storyboards/{board['id']}", {"idempotency-key": "for the director"}
    day = {"expires_in_seconds": 86_400}
    made = story.ask("shareStoryboard", f"POST {here}/share", day, name="forADay", headers=once)
    link = made["secret"]
    story.ask("getStoryboard", f"GET {here}", name="byLink", key=link)
    story.ask("listShares", f"GET {here}/shares", name="notByLink", key=link)
    story.ask("shareStoryboard", f"POST {here}/share", name="forAWeek")
    story.ask("revokeShare", f"DELETE {here}/shares/{made['id']}")
    story.ask("shareStoryboard", f"POST {here}/share", day, name="again", headers=once)
    story.ask("listShares", f"GET {here}/shares")
    story.ask("listShares", f"GET {here}/shares", name="page", query={"limit": "1"})


def _exports(story: Story, here: str) -> None:
    """A shot list, which is made, and a PDF, which is not yet."""
    wanted = {"format": "csv"}
    made = story.ask("createExport", f"POST {here}", wanted, name="create")
    story.stage.run("export", queue("exports", {"export_id": made["id"]}))
    story.ask("createExport", f"POST {here}", wanted, name="thereAlready")
    letter = {"format": "pdf", "page": "letter", "notes": False}
    other = story.ask("createExport", f"POST {here}", letter, name="pdf")
    wrong = {"format": "cbz", "page": "a4"}
    story.ask("createExport", f"POST {here}", wrong, name="optionOfAnotherFormat")
    story.ask("getExport", f"GET {here}/{made['id']}", name="succeeded")
    story.ask("getExport", f"GET {here}/{other['id']}", name="queued")
    exports, now = story.stage.exports, story.stage.clock()
    for _ in range(MAX_ATTEMPTS):  # which all died half-way
        row = exports.get(other["id"])
        begun = row and exports.begin(row, now)
        assert begun
        exports.release(begun, now)
    story.stage.run("export", queue("exports", {"export_id": other["id"]}))
    story.ask("getExport", f"GET {here}/{other['id']}", name="failed")
    story.ask("listExports", f"GET {here}", query={"limit": "1"})


def _sheet(story: Story) -> None:
    """The angles that Marcus lacks; what he looks like from behind becomes a reference."""
    here = "/characters/marcus"
    wanted, once = {"angles": ["profile", "back"], "seed": 12345}, {"idempotency-key": "sheet 1"}
    dry = {"dry_run": "true"}
    story.ask("makeSheet", f"POST {here}/sheet", wanted, name="dryRun", query=dry)
    short = {"max_cost": "0.05"}
    story.ask("makeSheet", f"POST {here}/sheet", short, name="tooDear")
    made = story.ask("makeSheet", f"POST {here}/sheet", wanted, name="twoAngles", headers=once)
    unwanted, shown = (item["id"] for item in made["items"])
    story.ask("cancelPrediction", f"POST /predictions/{unwanted}/cancel", name="ofSheet")
    story.submit(shown)
    story.hear(shown)
    story.ask("getPrediction", f"GET /predictions/{shown}", name="ofSheet")
    story.ask("makeSheet", f"POST {here}/sheet", wanted, name="again", headers=once)
    story.ask("addReference", f"POST {here}/references", {"prediction": shown}, name="approved")


def _the_end_of_marcus(story: Story) -> None:
    story.ask("deleteCharacter", "DELETE /characters/marcus")
    story.ask("listVersions", "GET /characters/marcus/versions", name="ofDeleted")


def canceled(_provider: str, job: str) -> Any:
    """Replicate's webhook of a job that it has stopped."""
    return {"id": job, "status": "canceled", "output": None, "error": None}


def _keys(story: Story) -> None:
    """One with limits, and what they refuse."""
    wanted = {
        "name": "shop",
        "scopes": ["read", "write"],
        "limits": {"predictions_per_minute": 1, "max_cost_per_month": "0.10"},
    }
    once = {"idempotency-key": "the shop's key"}
    made = story.ask("createKey", "POST /keys", wanted, name="limited", headers=once)
    shop, create = made["secret"], "POST /predictions"
    story.ask("createPrediction", create, PREDICTION, name="withinLimits", key=shop)
    story.ask("createPrediction", create, PREDICTION, name="tooManyInAMinute", key=shop)
    story.stage.clock.advance(minutes=1)
    story.ask("createPrediction", create, PREDICTION, name="withinLimits", key=shop)
    story.stage.clock.advance(minutes=1)
    story.ask("createPrediction", create, PREDICTION, name="budgetExceeded", key=shop)
    dear = {**STORYBOARD, "max_cost": "0.01"}
    story.ask("createStoryboard", "POST /storyboards", dear, name="tooDear")
    story.ask("listKeys", "GET /keys", name="missingScope", key=shop)
    here = f"/keys/{made['id']}"
    story.ask("getKey", f"GET {here}", name="spent")
    reader = {"name": "dashboard", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z"}
    story.ask("createKey", "POST /keys", reader, name="untilNewYear")
    story.ask("listKeys", "GET /keys", query={"limit": "1"})
    story.ask("listKeys", "GET /keys", name="all")
    story.ask("revokeKey", f"DELETE {here}")
    story.ask("getKey", f"GET {here}", name="revoked")
    story.ask("createKey", "POST /keys", wanted, name="again", headers=once)


def _secrets(story: Story) -> None:
    story.ask("getCallbackSecret", "GET /callback-secret")
    story.ask("rotateCallbackSecret", "POST /callback-secret/rotate")
    story.ask("rotateCallbackSecret", "POST /callback-secret/rotate", name="tooSoon")
    force = {"force": True}
    story.ask("rotateCallbackSecret", "POST /callback-secret/rotate", force, name="force")


def _pages(story: Story) -> None:
    story.ask("getDescription", "GET /openapi.json", key=None)
    story.ask("getDocs", "GET /docs", key=None)
    for name in pages.ASSETS:
        story.ask("getDocsFile", f"GET /docs/{name}", key=None)
    story.ask("getBoardPage", "GET /storyboards/sb_1/view", key=None)
    story.ask("getProblem", "GET /problems/unknown-model", key=None)


def _refused(story: Story) -> None:
    """What callers do wrong."""
    create = "POST /predictions"
    story.ask("createPrediction", create, b"{not json", name="notJson")
    story.ask("createPrediction", create, PREDICTION, name="noKey", key=None)
    story.ask("createPrediction", create, PREDICTION, name="unknownKey", key="shk_nobody")
    story.ask("createPrediction", create, b"[" * 300_000, name="tooLarge")
    story.ask("createPrediction", create, {**PREDICTION, "model": "x"}, name="unknownModel")
    wrong = {**PREDICTION, "promt": "Elena", "seed": -1}
    story.ask("createPrediction", create, wrong, name="invalidFields")
    story.ask("getPrediction", "GET /predictions/pred_0", name="unknown")
    scenes = [{"description": "They meet", "characters": ["elena", "nobody"]}]
    unknown = {**STORYBOARD, "scenes": scenes}
    story.ask("createStoryboard", "POST /storyboards", unknown, name="unknownCharacter")
    bad = {**ELENA, "references": [{"url": events.REFERENCE + ".html"}]}
    story.ask("createCharacter", "POST /characters", bad, name="badReference")
    forged = {"webhook-id": "msg_1", "webhook-timestamp": "1767225600", "webhook-signature": "v1,"}
    sent = next(each for each in story.exchanges if each.name == "create").answer.json
    row = story.row(sent["id"])
    token = f"/webhooks/replicate/{row.id}.{row.token}"
    story.ask("receiveWebhook", f"POST {token}", {}, name="forged", headers=forged, key=None)
