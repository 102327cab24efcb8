"""storyhook, the command: what it prints for people and for machines, and how it ends."""

import base64
import hashlib
import json
import queue
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from storyhook_client.cli import trouble
from storyhook_client.cli.main import main, storyhook
from storyhook_client.profiles import path_of, read
from tests.fixtures.server import RESET, Reply, Request, Server, serving
from tests.fixtures.template import ROOT

BOARD_FILE = """\
model: flux-2-pro
scenes:
  - description: Elena laughs
    camra: low
    characters: [elna]
"""
COST = {"estimated": "0.1200", "actual": None}


def scene(n: int, status: str, **more: Any) -> dict[str, Any]:
    return {"id": f"scene-{n}", "position": n, "status": status, "model": "fal-flux2-pro-edit",
            "cost": COST, "metrics": {"total_seconds": 9.5}, "caption": "They [red]meet[/red].",
            **more}  # fmt: skip


def board(status: str = "succeeded", *scenes: dict[str, Any]) -> dict[str, Any]:
    return {"id": "sb_1", "title": "The \x1b[31mmap", "status": status, "cost": COST,
            "scenes": list(scenes) or [scene(1, "succeeded"), scene(2, "succeeded")],
            "warnings": ["Marcus has no picture"]}  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    with serving() as server:
        monkeypatch.setenv("STORYHOOK_URL", server.url)
        monkeypatch.setenv("STORYHOOK_API_KEY", "shk_1")
        monkeypatch.delenv("STORYHOOK_PROFILE", raising=False)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("COLUMNS", "120")
        yield server


@pytest.fixture
def board_file(tmp_path: Path) -> Path:
    path = tmp_path / "board.yaml"
    path.write_text(BOARD_FILE)
    return path


Capture = pytest.CaptureFixture[str]


def routes(answers: dict[str, Any]) -> Callable[[Request], Reply]:
    """Replies by `METHOD /path`; lists are given in turn."""

    def answer(request: Request) -> Reply:
        found = answers[f"{request.method} {request.path.partition('?')[0]}"]
        found = found.pop(0) if isinstance(found, list) else found
        return found if isinstance(found, Reply) else Reply(200, found)

    return answer


def problem(slug: str, status: int, *errors: tuple[str, str]) -> Reply:
    document = {"type": f"/problems/{slug}", "title": "It is not valid", "status": status,
                "detail": "Mend it.",
                "errors": [{"path": p, "message": m} for p, m in errors]}  # fmt: skip
    return Reply(status, document, {"Content-Type": "application/problem+json"})


def run(capsys: Capture, *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(each) for each in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_create_and_watch_in_plain_lines(server: Server, capsys: Capture, board_file: Path) -> None:
    server.answer = routes(
        {
            "POST /storyboards": Reply(
                202, board("running", scene(1, "queued"), scene(2, "queued"))
            ),
            "GET /models": {"items": [{"id": "fal-flux2-pro-edit", "typical_seconds": 10}]},
            "GET /storyboards/sb_1": [
                board("running", scene(1, "succeeded"), scene(2, "running", model="\x1b[2J")),
                board(),
            ],
        }
    )
    code, out, err = run(capsys, "create", board_file, "--watch", "--max-cost", "1.00")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "storyboard sb_1 is accepted" in out
    assert "2 scenes by fal-flux2-pro-edit, about $0.1200" in out
    assert "warning: Marcus has no picture" in out
    lines = [line.split()[:2] for line in out.splitlines()]
    changes = [line for line in lines if line and line[0].startswith("scene-")]
    assert changes[:3] == [
        ["scene-1", "succeeded"],
        ["scene-2", "running"],
        ["scene-2", "succeeded"],
    ]
    assert "They [red]meet[/red]." in out  # whatever others wrote is text
    sent = server.requests[0].json
    assert sent["max_cost"] == "1.00"
    assert sent["scenes"][0]["characters"] == ["elna"]


def test_json_is_all_that_is_printed(server: Server, capsys: Capture, board_file: Path) -> None:
    server.answer = routes(
        {"POST /storyboards": board("running"), "GET /storyboards/sb_1": board()}
    )
    for arguments in (("create", board_file, "--json"), ("--json", "create", board_file)):
        code, out, err = run(capsys, *arguments)
        assert (code, json.loads(out), err) == (0, board("running"), "")
    code, out, err = run(capsys, "create", board_file, "-w", "--json")
    assert (code, json.loads(out), err) == (0, board(), "")


@pytest.mark.parametrize("status", ["failed", "partial", "canceled"])
def test_a_board_that_does_not_end_well_ends_the_command_with_3(
    server: Server, capsys: Capture, status: str
) -> None:
    bad = scene(2, "blocked", error={"detail": "Change the words."})
    server.answer = routes(
        {
            "GET /models": {"items": []},
            "GET /storyboards/sb_1": board(status, scene(1, "succeeded"), bad),
            "GET /predictions/pred_1": {"id": "pred_1", "status": "failed"},
        }
    )
    code, out, _ = run(capsys, "watch", "sb_1")
    assert code == 3
    assert "scene-2 blocked: Change the words." in out
    assert run(capsys, "watch", "pred_1")[0] == 3
    assert run(capsys, "watch", "sb_1", "--json")[0] == 3
    assert run(capsys, "show", "sb_1")[0] == 0


def test_time_that_is_up_ends_it_with_5(server: Server, capsys: Capture) -> None:
    server.answer = routes({"GET /predictions/pred_1": {"id": "pred_1", "status": "running"}})
    code, _, err = run(capsys, "watch", "pred_1", "--timeout", "1")
    assert code == 5
    assert "pred_1 is not over after 1 s" in err


def test_a_refusal_names_the_line_and_what_may_be_meant(
    server: Server, capsys: Capture, board_file: Path
) -> None:
    told = "There is no such field here; mend its name or leave it out."
    server.answer = routes(
        {
            "POST /storyboards": problem("invalid-request", 422, ("scenes[0].camra", told)),
            "GET /characters": {"items": [{"id": "elena"}], "next_cursor": None},
        }
    )
    code, out, err = run(capsys, "create", board_file)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "It is not valid. Mend it.",
        f"  {board_file}:4: scenes[0].camra: {told} Did you mean camera?",
    ]
    code, out, err = run(capsys, "create", board_file, "--json")
    assert (code, out) == (1, "")
    document = json.loads(err)
    assert document["type"] == "/problems/invalid-request"
    assert document["exit_code"] == 1
    assert document["errors"] == [
        {
            "path": "scenes[0].camra",
            "message": told,
            "where": f"{board_file}:4",
            "did_you_mean": "camera",
        }
    ]


def test_a_character_that_may_be_meant(server: Server, capsys: Capture, board_file: Path) -> None:
    wrong = ("scenes[0].characters[0]", "there is no character 'elna'")
    server.answer = routes(
        {
            "POST /storyboards": problem("unknown-character", 422, wrong),
            "GET /characters": {"items": [{"id": "marcus"}, {"id": "elena"}], "next_cursor": None},
        }
    )
    code, _, err = run(capsys, "estimate", board_file)
    assert code == 1
    assert f"{board_file}:5: scenes[0].characters[0]: {wrong[1]} Did you mean elena?" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["creat"], "There is no command 'creat'. Did you mean create?"),
        (["keys", "revok"], "Did you mean revoke?"),
        (["list", "--lmit", "3"], "--limit"),
        (["list", "--limit", "0"], "--limit"),
        (["models", "--sort", "colour"], "price"),
        (["show"], "ID"),
        (["create", "none.yaml"], "none.yaml: No such file"),
        (["--profile", "prod", "list"], "no profile 'prod'"),
    ],
)
def test_usage_and_files_end_it_with_2(
    server: Server, capsys: Capture, arguments: list[str], told: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert told in err
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, out) == (2, "")
    document = json.loads(err)
    assert told in document["detail"]
    assert document["exit_code"] == 2
    assert server.requests == []


@pytest.mark.parametrize(
    "answer", [RESET, Reply(200, b"<html>"), problem("busy", 503)], ids=["reset", "html", "503"]
)
def test_no_answer_ends_it_with_4(server: Server, capsys: Capture, answer: Reply | str) -> None:
    server.answer = answer
    code, _, err = run(capsys, "cancel", "sb_1", "--json")
    assert code == 4
    assert json.loads(err)["exit_code"] == 4


def test_an_estimate_says_what_it_would_cost(
    server: Server, capsys: Capture, board_file: Path
) -> None:
    plan = {"dry_run": True, "warnings": [], "cost": {"estimated": None, "known": "0.0600"},
            "scenes": [{"id": "scene-1", "model": "m", "prompt": "Elena", "references": [{}, {}],
                        "cost": {"estimated": "0.0600"}}]}  # fmt: skip
    server.answer = routes({"POST /storyboards": plan})
    for arguments in (("estimate", board_file), ("create", board_file, "--dry-run")):
        code, out, _ = run(capsys, *arguments)
        assert code == 0
        assert "1 scene, $0.0600 and those scenes whose price is not known; nothing was paid" in out
    assert {request.path for request in server.requests} == {"/storyboards?dry_run=true"}


def test_candidates_are_priced_shown_and_selected(
    server: Server, capsys: Capture, board_file: Path
) -> None:
    plan = {"dry_run": True, "warnings": [], "cost": {"estimated": "0.1800"},
            "scenes": [{"id": "scene-1", "model": "m", "prompt": "Elena", "candidates": 3,
                        "cost": {"estimated": "0.0600"}}]}  # fmt: skip
    choice = {"by": "checks", "reasons": ["pred_1 is blank."]}
    decided = scene(1, "succeeded", candidates=["pred_1", "pred_2"], chosen="pred_2", choice=choice)
    selected = {**decided, "chosen": "pred_1", "choice": {"by": "caller", "reasons": []}}
    server.answer = routes(
        {
            "POST /storyboards": plan,
            "GET /storyboards/sb_1": board("succeeded", decided, scene(2, "succeeded")),
            "POST /storyboards/sb_1/scenes/scene-1/select": selected,
        }
    )
    assert "3 × $0.0600" in run(capsys, "estimate", board_file)[1]
    shown = run(capsys, "show", "sb_1")[1].splitlines()
    said = [line for line in shown if " shows " in line]
    assert said == [
        "scene-1 shows pred_2, chosen by checks. pred_1 is blank. Others: pred_1",
    ]
    assert run(capsys, "select", "sb_1", "scene-1", "pred_1") == (0, "scene-1 shows pred_1\n", "")
    assert server.requests[-1].json == {"prediction": "pred_1"}


def test_lists_stop_at_their_limit(server: Server, capsys: Capture) -> None:
    items = [{"id": f"sb_{n}", "status": "running", "title": "x"} for n in range(3)]
    server.answer = routes({"GET /storyboards": {"items": items, "next_cursor": "more"}})
    code, out, _ = run(capsys, "list", "--limit", "5", "--json")
    assert code == 0
    assert len(json.loads(out)["items"]) == 5
    assert len(server.requests) == 2


def test_keys_are_shown_once(server: Server, capsys: Capture) -> None:
    key = {"id": "key_1", "name": "ci", "secret": "shk_secret", "scopes": ["read", "write"]}
    server.answer = routes(
        {"POST /keys": Reply(201, key), "GET /keys": {"items": [key]}, "DELETE /keys/key_1": {}}
    )
    scopes = ("--scope", "read", "--scope", "write")
    code, out, _ = run(capsys, "keys", "create", "ci", *scopes, "--per-month", "5.00")
    assert code == 0
    assert "shk_secret" in out
    assert server.requests[0].json == {
        "name": "ci",
        "scopes": ["read", "write"],
        "limits": {"max_cost_per_month": "5.00"},
    }
    assert "ci" in run(capsys, "keys", "list")[1]
    assert run(capsys, "keys", "revoke", "key_1") == (0, "key_1 is revoked\n", "")


def test_callbacks_are_listed_shown_and_sent_again(server: Server, capsys: Capture) -> None:
    callback = {"id": "cb_1", "status": "failed", "type": "storyboard.completed", "subject": "sb_1",
                "attempts": [{"at": "2026-11-27T10:00:00.000Z", "status_code": 500}]}  # fmt: skip
    server.answer = routes(
        {
            "GET /callbacks": {"items": [callback], "next_cursor": None},
            "GET /callbacks/cb_1": callback,
            "POST /callbacks/cb_1/replay": Reply(202, {**callback, "status": "pending"}),
        }
    )
    assert "cb_1" in run(capsys, "callbacks", "list", "--status", "failed", "--subject", "sb_1")[1]
    assert server.requests[0].path == "/callbacks?status=failed&subject=sb_1&limit=20"
    for arguments in (("callbacks", "show", "cb_1"), ("show", "cb_1")):
        assert "500" in run(capsys, *arguments)[1]
    assert "cb_1 is pending" in run(capsys, "callbacks", "replay", "cb_1")[1]


def test_characters_and_their_pictures(server: Server, capsys: Capture, tmp_path: Path) -> None:
    elena = {"id": "elena", "name": "Elena", "description": "red hair", "version": 2,
             "references": [{"id": "ref_1", "width": 64, "height": 64}],
             "stale": {"items": [{"storyboard_id": "sb_1", "title": "Map", "cost": "0.0600",
                                  "scenes": [{"id": "scene-1"}]}]}}  # fmt: skip
    server.answer = routes(
        {
            "GET /characters": {"items": [elena], "next_cursor": None},
            "GET /characters/elena": elena,
            "POST /characters": Reply(201, elena),
            "PATCH /characters/elena": elena,
            "POST /characters/elena/references": Reply(201, elena),
            "POST /uploads": Reply(201, {"id": "up_1", "url": f"{server.url}/s3"}),
            "POST /s3": Reply(204),
            "DELETE /characters/elena": Reply(204),
        }
    )
    (tmp_path / "e.png").write_bytes(b"\x89PNG")
    assert "red hair" in run(capsys, "characters", "list")[1]
    assert "64×64" in run(capsys, "show", "elena")[1]
    words = ("--name", "Elena", "--description", "red hair", "--picture", tmp_path / "e.png")
    code, out, _ = run(capsys, "characters", "create", "elena", *words, "--replace")
    assert (code, out.splitlines()) == (
        0,
        [
            "elena is version 2, with 1 reference image",
            "sb_1 (Map) has 1 scene of an older version; making them anew costs $0.0600",
        ],
    )
    assert server.requests[-1].json["references"] == [{"upload": "up_1"}]
    run(capsys, "characters", "upload", "elena", tmp_path / "e.png", "--angle", "back")
    assert server.requests[-1].json == {"upload": "up_1", "angle": "back"}
    run(capsys, "characters", "approve", "elena", "pred_1", "--role", "face")
    assert server.requests[-1].json == {"prediction": "pred_1", "role": "face"}  # as it was made
    assert run(capsys, "characters", "delete", "elena")[:2] == (0, "elena is deleted\n")


def test_a_character_that_is_there_is_not_replaced_unawares(
    server: Server, capsys: Capture
) -> None:
    there = {"id": "elena", "version": 3, "references": [{"id": "ref_1"}, {"id": "ref_2"}]}
    marcus = {"id": "marcus", "version": 1, "references": []}
    server.answer = routes(
        {
            "GET /characters/elena": there,
            "GET /characters/marcus": problem("not-found", 404),
            "POST /characters": Reply(201, marcus),
        }
    )
    words = ("--name", "Elena", "--description", "red hair", "--picture", "nowhere.png")
    code, out, err = run(capsys, "characters", "create", "elena", *words)
    assert (code, out) == (2, "")
    assert "elena is there, as version 3 with 2 reference images." in err
    assert "--replace" in err
    assert [request.method for request in server.requests] == ["GET"]
    code, out, _ = run(capsys, "characters", "create", "marcus", *words[:4])
    assert (code, out) == (0, "marcus is version 1, with 0 reference images\n")


def test_a_character_is_changed_by_what_is_named(server: Server, capsys: Capture) -> None:
    elena = {"id": "elena", "version": 4, "references": [{"id": "ref_1"}],
             "stale": {"items": [{"storyboard_id": "sb_1", "title": "Map", "cost": "0.0600",
                                  "scenes": [{"id": "scene-1"}]}]}}  # fmt: skip
    server.answer = routes({"PATCH /characters/elena": elena})
    update = ("characters", "update", "elena")
    code, out, _ = run(capsys, *update, "--outfit", "green cloak", "--if-version", "3")
    assert (code, out.splitlines()) == (
        0,
        [
            "elena is version 4, with 1 reference image",
            "sb_1 (Map) has 1 scene of an older version; making them anew costs $0.0600",
        ],
    )
    assert server.requests[-1].json == {"outfit": "green cloak", "version": 3}
    run(capsys, *update, "--name", "Helena", "--kind", "prop", "--outfit", "")
    assert server.requests[-1].json == {"name": "Helena", "kind": "prop", "outfit": None}
    assert json.loads(run(capsys, *update, "--name", "E", "--json")[1]) == elena
    asked = len(server.requests)
    for wrong, told in (((), "Say what to change"), (("--kind", "cat"), "location"),
                        (("--nam", "x"), "--name")):  # fmt: skip
        code, _, err = run(capsys, *update, *wrong)
        assert code == 2
        assert told in err
    assert len(server.requests) == asked
    server.answer = routes({"PATCH /characters/elena": problem("character-changed", 409)})
    assert run(capsys, *update, "--name", "x", "--if-version", "1")[0] == 1


def test_download_says_what_did_not_come(server: Server, capsys: Capture, tmp_path: Path) -> None:
    image = {"url": f"{server.url}/1.png", "content_type": "image/png", "sha256": "0" * 64}
    server.answer = routes(
        {
            "GET /storyboards/sb_1": board("succeeded", scene(1, "succeeded", image=image)),
            "GET /1.png": Reply(200, b"x"),
        }
    )
    code, out, _ = run(capsys, "download", "sb_1", "-o", tmp_path / "out")
    assert code == 3
    assert "scene-1: the file is not the picture" in out
    assert (tmp_path / "out/board.json").is_file()


def test_import_writes_a_board_or_prints_it(
    server: Server, capsys: Capture, tmp_path: Path
) -> None:
    source = ROOT / "tests/fixtures/imports/vistorybench/01"
    out = tmp_path / "board.yaml"
    code, said, err = run(capsys, "import", source, "-o", out, "--style", "gouache")
    assert code == 0
    assert f"2 scenes and 2 characters in {out}" in said
    assert "warning: " in err
    assert "'Fisherman'" in err
    code, printed, _ = run(capsys, "import", source, "--style", "gouache")
    assert printed == out.read_text()
    code, said, _ = run(capsys, "import", source, "--json")
    assert json.loads(said)["board"]["scenes"][0]["id"] == "shot-01"
    assert server.requests == []


def test_configure_keeps_a_stack_that_answers(
    server: Server, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Typed:
        def readline(self) -> str:
            return "shk_typed\n"

    monkeypatch.setattr("sys.stdin", Typed())
    server.answer = routes({"GET /storyboards": [{"items": []}, Reply(403, {"message": "no"})]})
    given = ("--url", f"{server.url}/", "--key-stdin", "--name", "local")
    code, out, _ = run(capsys, "configure", *given)
    assert code == 0
    assert "shk_typed" not in out
    assert server.requests[0].headers["authorization"] == "Bearer shk_typed"
    kept = read(path_of())
    assert (kept["local"].url, kept["local"].key) == (server.url, "shk_typed")
    code, _, err = run(capsys, "login", "--url", server.url, "--key-stdin", "--name", "other")
    assert code == 1
    assert "key is not accepted" in err
    assert "other" not in read(path_of())


def test_every_command_takes_json_and_says_what_it_does() -> None:
    def commands(group: Any) -> Iterator[Any]:
        for command in group.commands.values():
            if hasattr(command, "commands"):
                yield from commands(command)
            else:
                yield command

    found = list(commands(storyhook))
    assert len(found) > 15
    for command in found:
        assert any("--json" in parameter.opts for parameter in command.params), command.name
        assert command.help, command.name


def test_the_reference_names_every_command_and_exit_code() -> None:
    text = (ROOT / "docs/client.md").read_text(encoding="utf-8")
    for name in storyhook.commands:
        assert re.search(rf"`storyhook {name}\b|`{name}`", text), name
    for code in (trouble.REFUSED, trouble.USAGE, trouble.NOT_WELL, trouble.NO_ANSWER,
                 trouble.TOO_LONG, trouble.INTERRUPTED):  # fmt: skip
        assert f"\n| {code} |" in text, code


SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def test_listen_takes_what_is_signed_and_refuses_the_rest(
    server: Server, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = routes({"GET /callback-secret": {"secret": SECRET, "version": 1}})
    bound: queue.Queue[int] = queue.Queue()
    serve = HTTPServer.server_activate

    def activate(self: HTTPServer) -> None:
        serve(self)
        bound.put(self.server_port)

    monkeypatch.setattr(HTTPServer, "server_activate", activate)
    event = {
        "type": "storyboard.completed", "sequence": 3, "data": {"id": "sb_1", "status": "partial"}
    }  # fmt: skip
    body = json.dumps(event).encode()
    answers: list[int] = []

    def send() -> None:
        url = f"http://127.0.0.1:{bound.get(timeout=10)}/hooks"
        now = datetime.now(UTC)
        signature = Webhook(SECRET).sign("cb_1", now, body.decode())
        for signed in ("v1,bm90aGluZw==", signature):
            headers = {
                "webhook-id": "cb_1",
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signed,
            }
            answers.append(httpx.post(url, content=body, headers=headers).status_code)

    sender = threading.Thread(target=send)
    sender.start()
    code, out, err = run(capsys, "listen", "--port", "0", "--count", "1")
    sender.join()
    assert (code, err, answers) == (0, "", [401, 204])
    refused, taken = out.splitlines()[1:]
    assert refused == "refused: the signature is not right"
    assert taken.startswith("3 storyboard.completed sb_1 partial")


def test_a_port_that_is_taken(server: Server, capsys: Capture) -> None:
    server.answer = routes({"GET /callback-secret": {"secret": SECRET, "version": 1}})
    code, _, err = run(capsys, "listen", "--port", server.url.rpartition(":")[2])
    assert code == 2
    assert "--port" in err


def test_ids_are_whole_on_a_narrow_terminal(
    server: Server, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = "cb_01M8EPBMT5WQDAX8R81H9QXG6S"
    callback = {"id": identity, "status": "delivered", "type": "storyboard.completed",
                "subject": identity.replace("cb", "sb")}  # fmt: skip
    server.answer = routes({"GET /callbacks": {"items": [callback]}})
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = run(capsys, "callbacks", "list")
    assert identity in out
    assert callback["subject"] in out


def test_a_picture_of_its_own_is_downloaded(
    server: Server, capsys: Capture, tmp_path: Path
) -> None:
    data = b"\x89PNG\r\n\x1a\npicture"
    image = {"url": f"{server.url}/files/0.png", "content_type": "image/png",
             "sha256": hashlib.sha256(data).hexdigest()}  # fmt: skip
    server.answer = routes(
        {
            "GET /predictions/pred_1": [
                {"id": "pred_1", "status": "succeeded", "output": {"images": [image]}},
                {"id": "pred_1", "status": "running"},
            ],
            "GET /files/0.png": Reply(200, data),
        }
    )
    code, out, _ = run(capsys, "download", "pred_1", "-o", tmp_path)
    assert (code, out) == (0, f"{tmp_path}/pred_1.png\n")
    assert (tmp_path / "pred_1.png").read_bytes() == data
    code, out, _ = run(capsys, "download", "pred_1", "-o", tmp_path)
    assert code == 3
    assert "it is running" in out
