"""What the client reads and writes on this machine: profiles, pictures, callbacks that arrive."""

import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from storyhook.providers.callbacks import callback_secret
from storyhook_client import Storyhook, errors, verify
from storyhook_client.answers import Storyboard
from storyhook_client.boardfile import load, with_uploads
from storyhook_client.profiles import Profile, configured, path_of, read, save
from tests.fixtures.server import Reply, Request, Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Storyhook]:
    with Storyhook(server.url, "shk_1") as client:
        yield client


# Profiles


def at(home: Path, **variables: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(home), **variables}


def test_a_profile_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = path_of(at(tmp_path))
    odd = 'shk_"\\é'
    save(path, "default", Profile("http://127.0.0.1:1/a", odd))
    save(path, "my.aws", Profile("https://x.example.com", "shk_2"))
    assert path == tmp_path / "storyhook/config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert configured(None, at(tmp_path)) == Profile("http://127.0.0.1:1/a", odd)
    assert configured("my.aws", at(tmp_path)).key == "shk_2"
    assert configured(None, at(tmp_path, STORYHOOK_PROFILE="my.aws")).key == "shk_2"
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_the_environment_comes_before_the_default_and_after_a_name(tmp_path: Path) -> None:
    save(path_of(at(tmp_path)), "default", Profile("http://a", "shk_a"))
    mine = at(tmp_path, STORYHOOK_URL="http://b/", STORYHOOK_API_KEY="shk_b")
    assert configured(None, mine) == Profile("http://b", "shk_b")
    assert configured("default", mine) == Profile("http://a", "shk_a")


@pytest.mark.parametrize(
    ("variables", "name", "text", "told"),
    [
        ({}, None, None, "No stack is configured. Set STORYHOOK_URL and STORYHOOK_API_KEY"),
        ({"STORYHOOK_URL": "http://a"}, None, None, "STORYHOOK_API_KEY is not set"),
        ({"STORYHOOK_API_KEY": "shk"}, None, None, "STORYHOOK_URL is not set"),
        ({"STORYHOOK_URL": "a", "STORYHOOK_API_KEY": "shk"}, None, None, "'a' is not an http"),
        (
            {},
            "prd",
            '[prod]\nurl = "http://a"\nkey = "shk"',
            "no profile 'prd'; did you mean 'prod'",
        ),
        ({}, None, "[prod", "config.toml: "),
        ({}, None, 'url = "http://a"', "is not a table"),
        ({}, None, '[default]\nurl = "http://a"', "has no key"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, variables: dict[str, str], name: str | None, text: str | None, told: str
) -> None:
    if text is not None:
        path = path_of(at(tmp_path))
        path.parent.mkdir()
        path.write_text(text)
    with pytest.raises(errors.BadConfiguration) as raised:
        configured(name, at(tmp_path, **variables))
    assert told in str(raised.value)


def test_a_broken_file_is_not_overwritten(tmp_path: Path) -> None:
    path = path_of(at(tmp_path))
    path.parent.mkdir()
    path.write_text("[prod")
    with pytest.raises(errors.BadConfiguration):
        save(path, "a", Profile("http://a", "shk"))
    assert path.read_text() == "[prod"
    assert read(tmp_path / "none.toml") == {}


# Pictures


def board(url: str, *pictures: bytes) -> Storyboard:
    scenes = [
        {
            "id": f"scene-{n}",
            "position": n,
            "status": "succeeded",
            "image": {
                "url": f"{url}/{n}?signature=x",
                "content_type": "image/png",
                "sha256": hashlib.sha256(data).hexdigest(),
            },
        }
        for n, data in enumerate(pictures, 1)
    ]
    scenes.append({"id": "bad", "position": len(scenes) + 1, "status": "failed", "image": None})
    return Storyboard.of({"id": "sb_1", "status": "partial", "scenes": scenes})


def test_pictures_are_checked_and_written_once(
    client: Storyhook, server: Server, tmp_path: Path
) -> None:
    files = {"/1": Reply(200, b"one"), "/2": Reply(200, b"two"), "/3": Reply(403, b"<Expired/>")}
    server.answer = lambda request: files[request.path.partition("?")[0]]
    shown = board(server.url, b"one", b"not two", b"three")
    out = tmp_path / "a" / "b"
    done = client.storyboards.download(shown, out)
    assert done.pictures == {"scene-1": out / "scene-1.png"}
    assert (out / "scene-1.png").read_bytes() == b"one"
    assert [problem.partition(":")[0] for problem in done.problems] == ["scene-2", "scene-3"]
    assert "no longer valid" in done.problems[1]
    assert json.loads((out / "board.json").read_text()) == shown.to_json()
    assert sorted(path.name for path in out.iterdir()) == ["board.json", "scene-1.png"]
    assert all("authorization" not in request.headers for request in server.requests)

    server.requests.clear()
    files["/2"] = Reply(200, b"not two")
    files["/3"] = Reply(200, b"three")
    again = client.storyboards.download(shown, out)
    assert len(again.pictures) == 3
    assert [request.path[:2] for request in server.requests] == ["/2", "/3"]


def test_a_board_by_its_id_is_read_anew(client: Storyhook, server: Server, tmp_path: Path) -> None:
    shown = board(server.url, b"one")
    server.answer = lambda r: Reply(200, b"one" if r.path.startswith("/1") else shown.to_json())
    assert client.storyboards.download("sb_1", tmp_path).pictures
    assert server.requests[0].path == "/storyboards/sb_1"


def test_a_folder_that_cannot_be_written_is_named(client: Storyhook, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.BadDownload, match="file"):
        client.storyboards.download(board("http://127.0.0.1:9"), tmp_path / "file")


# Reference files of a board


def test_each_file_of_a_board_is_uploaded_once(
    client: Storyhook, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "elena.png").write_bytes(b"\x89PNG")
    path = tmp_path / "board.yaml"
    path.write_text(
        "scenes: []\ncharacters:\n"
        "  - id: elena\n    references:\n"
        "      - {file: faces/elena.png, role: face, angle: profile}\n"
        "      - {url: 'https://example.com/e.png'}\n"
        "  - id: twin\n    references:\n      - file: faces/../faces/elena.png\n"
        "  - id: wordy\n"
    )

    def answer(request: Request) -> Reply:
        if request.path == "/uploads":
            return Reply(201, {"id": f"up_{len(server.requests)}", "url": f"{server.url}/s3"})
        return Reply(204)

    server.answer = answer
    body = with_uploads(load(path), client.uploads)
    assert [character.get("references") for character in body["characters"]] == [
        [
            {"role": "face", "angle": "profile", "upload": "up_1"},
            {"url": "https://example.com/e.png"},
        ],
        [{"upload": "up_1"}],
        None,
    ]
    assert [request.path for request in server.requests] == ["/uploads", "/s3"]


def test_a_file_that_is_not_there_is_named_with_the_line(
    client: Storyhook, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "board.json"
    path.write_text('{"characters": [\n {"references": [\n  {"file": "no.png"}]}]}')
    with pytest.raises(
        errors.BadFile, match=r"board.json:3: characters\[0\].*no.png: No such file"
    ):
        with_uploads(load(path), client.uploads)
    assert server.requests == []


@pytest.mark.parametrize(
    "document",
    [{"characters": "x"}, {"characters": [1]}, {"characters": [{"references": "x"}]},
     {"characters": [{"references": [{"file": 7}, "x"]}]}],
)  # fmt: skip
def test_what_is_no_board_is_left_to_the_api(
    client: Storyhook, tmp_path: Path, document: Any
) -> None:
    path = tmp_path / "board.json"
    path.write_text(json.dumps(document))
    assert with_uploads(load(path), client.uploads) == document


# Callbacks that arrive

SECRET = callback_secret("master", "key_1")
BODY = (
    b'{"type": "storyboard.completed", "sequence": 3, "data": {"id": "sb_1", "status": "partial"}}'
)


def signed(secret: str = SECRET, body: bytes = BODY, at: datetime | None = None) -> dict[str, str]:
    """By the public library, which knows nothing of ours."""
    moment = at or datetime.now(UTC)
    return {
        "Webhook-Id": "cb_1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("cb_1", moment, body.decode()),
    }


def test_what_the_public_library_signs_is_verified() -> None:
    event = verify(SECRET, signed(), BODY)
    assert (event.type, event.sequence, event.data["status"]) == (
        "storyboard.completed",
        3,
        "partial",
    )


def test_one_of_two_signatures_is_enough() -> None:
    other, mine = signed(callback_secret("master", "key_2")), signed()
    both = f"{other['Webhook-Signature']} {mine['Webhook-Signature']}"
    assert verify(SECRET, {**mine, "Webhook-Signature": both}, BODY).type


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (lambda: signed(callback_secret("master", "key_2")), BODY, "signature is not right"),
        (lambda: signed(), BODY.replace(b"partial", b"succeeded"), "signature is not right"),
        (lambda: {**signed(), "Webhook-Id": "cb_2"}, BODY, "signature is not right"),
        (lambda: {**signed(), "Webhook-Signature": ""}, BODY, "signature is not right"),
        (lambda: {**signed(), "Webhook-Signature": "v1,é"}, BODY, "signature is not right"),
        (lambda: {**signed(), "Webhook-Timestamp": "soon"}, BODY, "not a number"),
        (
            lambda: {n: v for n, v in signed().items() if n != "Webhook-Id"},
            BODY,
            "webhook-id is missing",
        ),
        (lambda: signed(at=datetime.now(UTC) - timedelta(minutes=6)), BODY, "too far from now"),
        (lambda: signed(at=datetime.now(UTC) + timedelta(minutes=6)), BODY, "too far from now"),
        (lambda: signed(body=b"not json"), b"not json", "not an event"),
        (lambda: signed(body=b"[]"), b"[]", "not an event"),
    ],
)
def test_all_else_is_refused(headers: Callable[[], dict[str, str]], body: bytes, why: str) -> None:
    with pytest.raises(errors.BadWebhook, match=why):
        verify(SECRET, headers(), body)


def test_a_secret_that_is_none_is_told() -> None:
    with pytest.raises(errors.BadWebhook, match="whsec_"):
        verify("whsec_?", signed(), BODY)
