"""What is installed is pinned and hashed, and what goes to AWS may be given away with it."""

import importlib.metadata
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers/dependencies/requirements.txt"
FILES = [LAYER, *sorted((ROOT / "requirements").glob("*.txt"))]
# Of the layer, which is passed on with the code: none that asks more than to be named.
ALLOWED = ("apache", "mit", "bsd", "isc", "python software foundation", "psf", "mpl", "mozilla")
# Of packages that do not say it in their metadata, what their sources say.
SAID_ELSEWHERE = {"fal-client": "Apache-2.0"}


def pins(path: Path) -> dict[str, str]:
    """Each requirement of a file, by name, with all that stands of it."""
    entries = re.split(r"\n(?=[A-Za-z])", path.read_text(encoding="utf-8").strip())
    return {re.split(r"[=\[ ;@]", entry)[0]: entry for entry in entries}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    for name, entry in pins(path).items():
        assert re.match(r"[\w.\[\],-]+==\d[\w.+!]*( ;| \\)", entry), f"{name} is not pinned"
        assert "--hash=sha256:" in entry, f"{name} has no hash: make requirements"
        assert "://" not in entry, f"{name} names an address"


def test_every_list_of_requirements_has_its_pins() -> None:
    wanted = {path.with_suffix(".txt") for path in ROOT.glob("requirements/*.in")}
    assert wanted == set(FILES) - {LAYER}


@pytest.mark.parametrize("name", pins(LAYER))
def test_what_is_passed_on_has_a_licence_that_permits_it(name: str) -> None:
    about = importlib.metadata.metadata(name)
    classifiers = about.get_all("Classifier") or []
    said = [about.get("License-Expression"), about.get("License"), *classifiers]
    licence = " ".join(filter(None, [*said, SAID_ELSEWHERE.get(name)])).lower()
    assert any(allowed in licence for allowed in ALLOWED), f"{name}: {licence[:200]}"
    assert "gpl" not in licence, f"{name}: {licence[:200]}"
