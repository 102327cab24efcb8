"""storyhook export: asked for, waited for, fetched whole or not at all."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from storyhook_client import Storyhook, errors
from storyhook_client.answers import Export
from storyhook_client.cli.exports import EXTENSIONS
from tests.fixtures.server import Reply, Server
from tests.unit.client.test_command import Capture, problem, routes, run, server

__all__ = ["server"]

DATA = b"%PDF-1.6 and so on"
HERE = "/storyboards/sb_1/exports"


def export(server: Server, status: str, **more: Any) -> dict[str, Any]:
    file = {
        "url": f"{server.url}/file.pdf",
        "expires_at": "2026-01-01T01:00:00.000Z",
        "content_type": "application/pdf",
        "bytes": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }
    return {
        "id": "exp_1",
        "status": status,
        "storyboard_id": "sb_1",
        "format": "pdf",
        "options": {},
        "file": file if status == "succeeded" else None,
        "error": None,
        **more,
    }


def test_it_waits_and_writes_the_file(server: Server, capsys: Capture, tmp_path: Path) -> None:
    server.answer = routes(
        {
            f"POST {HERE}": Reply(202, export(server, "queued")),
            f"GET {HERE}/exp_1": [export(server, "running"), export(server, "succeeded")],
            "GET /file.pdf": Reply(200, DATA),
        }
    )
    out = tmp_path / "new" / "map.pdf"
    code, said, err = run(
        capsys, "export", "sb_1", "--format", "pdf", "-o", out, "--no-notes", "--page", "letter"
    )
    assert (code, err) == (0, "")
    assert out.read_bytes() == DATA
    assert "exp_1 is being made" in said
    assert f"{out} ({len(DATA)} bytes)" in said
    assert server.requests[0].json == {"format": "pdf", "notes": False, "page": "letter"}
    assert "idempotency-key" not in server.requests[0].headers, "the API takes none here"
    assert "authorization" not in server.requests[-1].headers, "the key is not for the bucket"


def test_a_folder_gets_a_file_of_the_boards_name_and_json_says_where(
    server: Server, capsys: Capture, tmp_path: Path
) -> None:
    done = export(server, "succeeded")
    server.answer = routes({f"POST {HERE}": done, "GET /file.pdf": Reply(200, DATA)})
    code, said, _ = run(capsys, "export", "sb_1", "--format", "PDF", "-o", tmp_path, "--json")
    assert code == 0
    assert json.loads(said) == {**done, "path": str(tmp_path / "sb_1.pdf")}
    assert (tmp_path / "sb_1.pdf").read_bytes() == DATA


def test_formats_of_one_board_do_not_overwrite_each_other(
    server: Server, capsys: Capture, tmp_path: Path
) -> None:
    for form in EXTENSIONS:
        done = export(server, "succeeded", format=form)
        server.answer = routes({f"POST {HERE}": done, "GET /file.pdf": Reply(200, DATA)})
        assert run(capsys, "export", "sb_1", "--format", form, "-o", tmp_path)[0] == 0
    assert len(list(tmp_path.iterdir())) == len(EXTENSIONS)


@pytest.mark.parametrize("answer", [Reply(200, DATA[:5]), Reply(403, b"expired")])
def test_half_a_file_is_not_kept(
    server: Server, capsys: Capture, tmp_path: Path, answer: Reply
) -> None:
    server.answer = routes({f"POST {HERE}": export(server, "succeeded"), "GET /file.pdf": answer})
    code, _, err = run(capsys, "export", "sb_1", "--format", "pdf", "-o", tmp_path)
    assert code != 0
    assert "cut short" in err or "no longer valid" in err
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_made_says_why(server: Server, capsys: Capture, tmp_path: Path) -> None:
    error = {"type": "/problems/export-failed", "title": "No file", "detail": "Ask again."}
    server.answer = routes({f"POST {HERE}": Reply(202, export(server, "failed", error=error))})
    code, said, _ = run(capsys, "export", "sb_1", "--format", "pdf", "-o", tmp_path)
    assert code == 3
    assert "exp_1 failed: Ask again." in said


def test_a_program_is_told_why_there_is_no_file(server: Server, tmp_path: Path) -> None:
    error = {"type": "/problems/export-failed", "title": "No file", "detail": "Ask again."}
    with Storyhook(server.url, "shk_1") as client:
        failed = Export.of(export(server, "failed", error=error))
        with pytest.raises(errors.ExportFailed, match="Ask again"):
            client.exports.download(failed, tmp_path / "map.pdf")
        with pytest.raises(errors.BadDownload, match="it is queued"):
            client.exports.download(Export.of(export(server, "queued")), tmp_path / "map.pdf")


def test_a_running_board_is_refused_with_the_apis_words(server: Server, capsys: Capture) -> None:
    server.answer = routes({f"POST {HERE}": problem("storyboard-running", 409)})
    code, _, err = run(capsys, "export", "sb_1", "--format", "zip")
    assert code == 1
    assert "Mend it." in err


def test_an_unknown_format_is_a_mistake_of_the_command_line(
    server: Server, capsys: Capture
) -> None:
    code, _, err = run(capsys, "export", "sb_1", "--format", "docx")
    assert code == 2
    assert "contact_sheet" in err
    assert server.requests == []
