"""Stories in other formats become boards; what cannot be read is named with its line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from storyhook.http.character_bodies import CharacterBody, ReferenceBody
from storyhook.http.requests import (
    OverrideBody,
    PredictionBody,
    SceneBody,
    StoryboardBody,
)
from storyhook_client import bodies
from storyhook_client.boardfile import dump, load
from storyhook_client.errors import BadFile
from storyhook_client.imports import formats
from storyhook_client.imports.located import read, read_json, read_yaml
from storyhook_client.imports.story import Ids, shared_out
from tests.fixtures.pictures import picture
from tests.fixtures.template import ROOT

SOURCES = ROOT / "tests/fixtures/imports"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The examples, with the pictures that they speak of."""
    folder = tmp_path / "sources"
    shutil.copytree(SOURCES, folder)
    for name in (
        "elena-front.png",
        "elena-side.png",
        "vistorybench/01/image/Lamp Keeper/00.png",
        "vistorybench/01/image/Lamp Keeper/01.jpg",
        "vistorybench/01/image/Lamp Keeper/notes.txt",
        "vimax/character_portraits/0_Nora/front.png",
        "vimax/character_portraits/0_Nora/side.png",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(64, 64))
    return folder


def test_a_shot_table(sources: Path) -> None:
    story = formats.load(sources / "shots.csv", cast=sources / "cast.csv", settings={"seed": 7})
    body = story.body
    assert list(body) == ["title", "model", "seed", "characters", "scenes"]
    assert (body["title"], body["model"], body["seed"]) == ("shots", "flux-2-pro", 7)
    elena, marcus = body["characters"]
    assert [Path(ref["file"]).name for ref in elena["references"]] == [
        "elena-front.png",
        "elena-side.png",
    ]
    assert "references" not in marcus
    assert "kind" not in elena
    market, tavern, cliff = body["scenes"]
    assert market == {
        "id": "market",
        "description": "Elena and Marcus reach for\nthe same old book",
        "characters": ["elena", "marcus"],
        "setting": "medieval marketplace, colourful stalls",
        "shot": "wide",
        "camera": "eye level",
        "light": "noon",
        "caption": "Two strangers reach for the same old book.",
    }
    assert tavern["overrides"] == {
        "elena": {"outfit": "green cloak"},
        "marcus": {"outfit": "travelling coat"},
    }
    assert tavern["seed"] == 77
    assert cliff["id"] == "cliff"


def test_a_story_of_vistorybench(sources: Path) -> None:
    story = formats.load(sources / "vistorybench/01")
    assert story.body["title"] == "01"
    keeper, gull = story.body["characters"]
    assert keeper["id"] == "lamp-keeper"
    assert keeper["name"] == "Lamp Keeper"
    assert keeper["description"].startswith("An old man with a white beard")
    assert [Path(ref["file"]).name for ref in keeper["references"]] == ["00.png", "01.jpg"]
    assert "references" not in gull
    assert story.body["scenes"][0] == {
        "id": "shot-01",
        "description": "The lamp keeper stands before an empty rock, his lantern in his hand.",
        "characters": ["lamp-keeper"],
        "setting": "A rocky harbour at dawn, a grey sea",
        "shot": "Long shot",
        "camera": "eye level shot, from the pier",
        "caption": "In the morning the lighthouse was gone.",
    }
    assert story.body["scenes"][1]["characters"] == ["grey-gull", "lamp-keeper"]
    assert "camera" not in story.body["scenes"][1]
    no_pictures, stranger = story.warnings
    assert "Grey Gull" in no_pictures
    assert "story.json:48: Shots[1]: 'Fisherman'" in stranger


def test_a_story_of_vistorybench_in_chinese(sources: Path) -> None:
    story = formats.load(sources / "vistorybench/01/story.json", language="ch")
    assert [each["name"] for each in story.body["characters"]] == ["守灯人", "灰海鸥"]
    assert [each["id"] for each in story.body["characters"]] == ["lamp-keeper", "grey-gull"]
    first = story.body["scenes"][0]
    assert (first["shot"], first["camera"]) == ("远景", "平视镜头")
    assert first["characters"] == ["lamp-keeper"]


def test_a_working_folder_of_vimax(sources: Path) -> None:
    story = formats.load(sources / "vimax")
    nora, hale = story.body["characters"]
    assert nora["id"] == "nora"
    assert nora["description"] == "Nora is a girl of ten with curly brown hair and amber eyes."
    assert nora["outfit"] == "Wearing an orange rain jacket."
    portraits = sources.resolve() / "vimax/character_portraits/0_Nora"
    assert nora["references"] == [
        {"file": str(portraits / "front.png"), "role": "full_body", "angle": "front"},
        {"file": str(portraits / "side.png"), "role": "full_body", "angle": "profile"},
    ]
    assert hale["id"] == "captain-hale"
    harbour, cabin = story.body["scenes"]
    assert harbour == {
        "id": "shot-0",
        "description": "Long shot of a harbour at dawn. Nora stands on the pier, facing right, "
        "and points at an empty rock.",
        "characters": ["nora"],
    }
    # A picture shows the moment with which the shot begins: Nora has not come in yet.
    assert cabin["description"].endswith("Captain Hale bends over a chart, facing left.")
    assert cabin["characters"] == ["captain-hale"]
    [missing] = story.warnings
    assert "character_portraits_registry.json:11: Nora.back" in missing


def test_a_film_of_vimax_with_several_scenes(sources: Path) -> None:
    body = formats.load(sources / "vimax-idea").body
    assert [s["id"] for s in body["scenes"]] == [
        "scene-0-shot-0",
        "scene-0-shot-1",
        "scene-1-shot-0",
    ]
    assert body["scenes"][1]["characters"] == ["captain-hale", "nora"]
    one = formats.load(sources / "vimax-idea/scene_1/storyboard.json").body
    assert [s["id"] for s in one["scenes"]] == ["shot-0"]
    assert len(one["characters"]) == 2


def test_a_board_of_our_own(sources: Path) -> None:
    story = formats.load(ROOT / "stories/ancient-map.json", settings={"model": "rep-flux2-pro"})
    written = json.loads((ROOT / "stories/ancient-map.json").read_text(encoding="utf-8"))
    assert story.body == {**written, "model": "rep-flux2-pro"}


Load = Callable[[Path], Any]


@pytest.mark.parametrize("name", ["out.yaml", "out.json"])
@pytest.mark.parametrize("source", ["shots.csv", "vistorybench/01", "vimax", "vimax-idea"], ids=str)
def test_what_is_imported_is_the_same_when_imported_again(
    sources: Path, tmp_path: Path, source: str, name: str
) -> None:
    story = formats.load(sources / source, settings={"aspect_ratio": "16:9", "title": "no"})
    out = tmp_path / "deep" / name
    out.parent.mkdir()
    out.write_text(dump(story.seen_from(out.parent), out), encoding="utf-8")
    again = formats.load(out)
    assert again.body == story.body
    shown = load(out).document
    files = [r["file"] for c in shown.get("characters", ()) for r in c.get("references", ())]
    assert all((out.parent / file).is_file() and not Path(file).is_absolute() for file in files)
    if name.endswith(".yaml"):
        # A reader of YAML 1.1 reads the same.
        assert yaml.safe_load(out.read_text(encoding="utf-8")) == shown


SCENES = "scene,description\n"
# Ten lines that stand for ten thousand million.
BOMB = b"a0: &a0 [x, x]\n" + b"".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n".encode() for n in range(1, 10)
)
NOT_READ = [
    # file, text, where it is wrong and the beginning of what is said
    ("a.csv", b"", "a.csv: no table"),
    ("a.csv", b"scene,descripton\n", "a.csv:1: no column 'descripton' is known; did you"),
    ("a.csv", b"description,description\nx,y\n", "a.csv:1: the column 'description' is there"),
    ("a.csv", b"scene\nx\n", "a.csv:1: the column 'description' is missing"),
    ("a.csv", b"scene,description\n", "a.csv:1: no scenes"),
    ("a.csv", b"scene,description\na,x\n\nb,\n", "a.csv:4: description: say what"),
    ("a.csv", b"scene,description\na,x\nb,y\na,z\n", "a.csv:4: scene: 'a' is on line 2 too"),
    ("a.csv", b'description\n"x\ny"\n"z"a\n', "a.csv:4: not CSV"),
    ("a.csv", b"description,seed\nx,1.5\n", "a.csv:2: seed: '1.5' is not a whole number"),
    ("a.csv", b"description\na, b\n", "a.csv:2: 2 cells in a table of 1 columns"),
    ("a.csv", b"description,outfits\nx,red\n", "a.csv:2: outfits: 'red' is not like"),
    ("a.csv", b"description,outfits\nx,bob: red\n", "a.csv:2: outfits: 'bob' is not among"),
    ("a.csv", b"description\nx\n\xff\n", "a.csv:3: not a text file in UTF-8"),
    ("a.json", b'{\n "scenes": [,]\n}', "a.json:2: not JSON: Expecting value"),
    ("a.json", b"[" * 100_000, "a.json: not JSON that can be read"),
    ("a.json", b"[]", "a.json:1: a board is an object"),
    ("a.json", b"{}", "a.json:1: no `scenes`"),
    ("a.yaml", b"model: a\nscenes:\n  - [\n", "a.yaml:4: not YAML"),
    ("a.yaml", b"model: a\nmodel: b\n", "a.yaml:2: not YAML: 'model' twice"),
    ("a.yaml", b"a: \x07", "a.yaml:1: not YAML"),
    ("a.yaml", b"model: !!python/object:os.system x\n", "a.yaml:1: not YAML"),
    ("a.yaml", b"model: a\n? [b]\n: c\n", "a.yaml:2: not YAML: not a name"),
    ("a.yaml", b"seed: !!int many\n", "a.yaml: not YAML that can be read"),
    ("a.yaml", b"model: !!set {a}\n", "a.yaml: has a set, which JSON has not"),
    ("a.yaml", b"scenes: &a [*a]\n", "a.yaml: its aliases stand for too much"),
    ("a.yaml", BOMB, "a.yaml: its aliases stand for too much"),
    ("b.json", b'{"Shots": [\n {"index": 1}]}', "b.json:1: no story of ViStoryBench"),
    (
        "b.json",
        b'{"Characters": {},\n"Shots": [\n{"index": 1}]}',
        "b.json:3: Shots[0]: the shot has no 'Setting Description'",
    ),
    ("b.json", b'{"Characters": {\n"A": {}},\n"Shots": []}', "b.json:2: Characters.A: it has no"),
    ("b.json", b'{"Characters": [],\n"Shots": []}', "b.json:1: Characters: an object is expected"),
    ("storyboard.json", b"[]", "storyboard.json: no working folder of ViMax"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "told"), NOT_READ)
def test_what_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, name: str, text: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(BadFile) as raised:
        formats.load(tmp_path / name)
    assert str(raised.value).startswith(f"{tmp_path}/{told}")


def test_a_folder_of_no_story_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path, told in ((tmp_path, "no story.json and no"), (tmp_path / "x.csv", "No such file")):
        with pytest.raises(BadFile, match=told):
            formats.load(path)


@pytest.mark.parametrize(
    ("name", "index", "field", "value", "told"),
    [
        ("characters.json", 1, "identifier_in_scene", 7, ":11: [1].identifier_in_scene: a text is"),
        ("storyboard.json", 0, "visual_desc", "", ":6: [0].visual_desc: say what is to be seen"),
    ],
)
def test_vimax_is_named_with_its_line(
    sources: Path, name: str, index: int, field: str, value: Any, told: str
) -> None:
    path = sources / "vimax" / name
    document = json.loads(path.read_text(encoding="utf-8"))
    document[index][field] = value
    path.write_text(json.dumps(document, indent=4), encoding="utf-8")
    with pytest.raises(BadFile) as raised:
        formats.load(sources / "vimax")
    assert str(raised.value).startswith(f"{path}{told}")


def test_a_scene_that_names_somebody_who_is_not_in_the_cast(sources: Path) -> None:
    path = sources / "shots.csv"
    path.write_text("description,characters\nx,elna\n", encoding="utf-8")
    with pytest.raises(BadFile, match=r"shots.csv:2: .*'elna' is not in .*did you mean 'elena'"):
        formats.load(path, cast=sources / "cast.csv")


def test_names_become_ids() -> None:
    ids = Ids("character")
    names = ["Big Bad Wolf", "big bad wolf!", "Zoë", "守灯人", "Big Bad Wolf", "x" * 100]
    made = [ids.of(name) for name in names]
    assert made[:5] == ["big-bad-wolf", "big-bad-wolf-2", "zoe", "character-4", "big-bad-wolf"]
    assert len(made[5]) == 64


def test_everybody_keeps_a_picture_when_there_are_too_many() -> None:
    warnings: list[str] = []
    wanted = {f"p{n}": [{"file": f"{n}-{m}"} for m in range(20)] for n in range(12)}
    kept = shared_out(wanted, warnings)
    assert sum(map(len, kept.values())) == 32
    assert min(map(len, kept.values())) == 2
    assert "208 pictures are left out" in warnings[0]


# Files and the lines of what is in them

BOARD = """\
title: no
aspect_ratio: 16:9
seed: 0123
scenes:
  - description: a
    characters: [elena,
                 marcus]
    overrides:
      elena:
        outfit: green cloak
"""


def test_yaml_is_read_as_people_mean_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        BOARD + "at: 2026-11-27\nyes: off\nempty:\nhalf: 1.5e3\nok: true\n"
    )
    read_ = read_yaml(tmp_path / "a.yaml").document
    assert read_["title"] == "no"
    assert read_["aspect_ratio"] == "16:9"
    assert (read_["seed"], read_["half"], read_["ok"]) == ("0123", 1500.0, True)
    assert (read_["at"], read_["yes"], read_["empty"]) == ("2026-11-27", "off", None)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("title", 1),
        ("scenes[0].characters[1]", 7),
        ("scenes[0].overrides.elena.outfit", 10),
        ("scenes[0].camera", 5),
        ("scenes[7]", 4),
        ("model", None),
    ],
)
def test_the_line_of_a_field(tmp_path: Path, place: str, line: int | None) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(BOARD)
    assert read(path).line_of(place) == line


def test_the_line_of_a_field_in_json_with_tabs(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{\n\t"scenes": [\n\t\t{"description":"a\\/\\ud83d\\ude00"},\n\t\t{"x":1}\n\t]\n}'
    )
    assert read_json(path).line_of("scenes[1].x") == 4


# Fields by name


@pytest.mark.parametrize(
    ("ours", "theirs", "more"),
    [
        (bodies.StoryboardBody, StoryboardBody, {"max_cost"}),
        (bodies.SceneBody, SceneBody, set()),
        (bodies.CharacterBody, CharacterBody, set()),
        (bodies.ReferenceBody, ReferenceBody, {"file"}),
        (bodies.OverrideBody, OverrideBody, set()),
        (bodies.PredictionBody, PredictionBody, {"max_cost"}),
    ],
)
def test_the_fields_of_requests_are_the_apis(ours: type, theirs: Any, more: set[str]) -> None:
    assert set(ours.__annotations__) - more == set(theirs.model_fields) - more


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("scenes[2].camra", "camera"),
        ("aspectratio", "aspect_ratio"),
        ("characters[0].references[1].angel", "angle"),
        ("scenes[0].options.stepps", None),
        ("scenes[0].camera", None),
        ("zzz", None),
    ],
)
def test_a_field_that_may_be_meant(path: str, meant: str | None) -> None:
    assert bodies.field_meant(path) == meant
