"""What `sam build` makes, for both architectures, on whatever machine this runs."""

import hashlib
import importlib.util
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from local.cloud import environments
from local.cloud.places import DEV_PYTHON, ROOT, SAM, TOOLS
from storyhook.domain import catalogue
from storyhook.http import pages
from tests.fixtures.functions import FUNCTIONS

LARGEST_MB = 100
# What Lambda takes is 250 MB, with the function's own code.
LARGEST_MB_WITH_EXPORTS = 200
MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}  # ELF e_machine
UNCHECKED_HASH = 0b01  # flags of a .pyc: by hash, and the hash is not looked at
FORBIDDEN = {"niquests", "urllib3_future", "aiobotocore", "svix", "aws_xray_sdk"}
SERVICES = {"dynamodb", "s3", "sqs", "ssm", "stepfunctions", "sts"}


@dataclass(frozen=True)
class Build:
    architecture: str
    folder: Path

    @property
    def layers(self) -> list[Path]:
        return [self.dependencies, self.folder / "StoryhookLayer/python", self.exports]

    @property
    def dependencies(self) -> Path:
        return self.folder / "DependenciesLayer/python"

    @property
    def exports(self) -> Path:
        """Beside the others, for one function alone."""
        return self.folder / "ExportsLayer/python"


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Build]:
    """Both with the same cache, one after the other: neither may be given the other's wheels."""
    folder = tmp_path_factory.mktemp("build")
    made = {}
    for architecture in MACHINES:
        build = Build(architecture, folder / architecture)
        done = subprocess.run(
            [
                *(SAM, "build", "--config-env", "local"),
                *("--build-dir", build.folder, "--cache-dir", folder / "cache"),
                *("--parameter-overrides", f"Architecture={architecture}"),
            ],
            cwd=ROOT,
            env=environments.sam("http://127.0.0.1:1", folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made[architecture] = build
    return made


@pytest.fixture(params=sorted(MACHINES))
def build(request: pytest.FixtureRequest, builds: dict[str, Build]) -> Build:
    return builds[request.param]


def test_every_binary_is_for_the_architecture(build: Build) -> None:
    binaries = [path for layer in build.layers for path in layer.rglob("*.so*")]
    assert {path.parent.name for path in binaries} >= {
        "pydantic_core",
        "nacl",
        "PIL",
        "uharfbuzz",
        "pypdfium2_raw",
    }
    machines = {path.name: int.from_bytes(path.read_bytes()[18:20], "little") for path in binaries}
    assert set(machines.values()) == {MACHINES[build.architecture]}, machines


def test_every_source_has_bytecode_that_is_never_checked(build: Build) -> None:
    missing, wrong = [], []
    for layer in build.layers:
        sources = list(layer.rglob("*.py"))
        assert sources
        for source in sources:
            compiled = Path(importlib.util.cache_from_source(str(source)))
            if not compiled.is_file():
                missing.append(source)
            elif not is_unchecked(compiled):
                wrong.append(source)
    assert not missing
    assert not wrong


def is_unchecked(compiled: Path) -> bool:
    head = compiled.read_bytes()[:8]
    flags = int.from_bytes(head[4:], "little")
    return head[:4] == importlib.util.MAGIC_NUMBER and flags == UNCHECKED_HASH


def test_the_layers_are_small(build: Build) -> None:
    *of_all, own = (
        sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())
        for layer in build.layers
    )
    assert sum(of_all) <= LARGEST_MB * 1_000_000
    assert sum(of_all) + own <= LARGEST_MB_WITH_EXPORTS * 1_000_000


def test_nothing_forbidden_or_unpinned_is_in_the_layer(build: Build) -> None:
    for layer, name in ((build.dependencies, "dependencies"), (build.exports, "exports")):
        found = dict(installed(layer))
        assert not FORBIDDEN & found.keys()
        assert found == pinned(ROOT / "layers" / name / "requirements.txt")


def installed(layer: Path) -> Iterator[tuple[str, str]]:
    for metadata in layer.glob("*.dist-info/METADATA"):
        headers = message_from_string(metadata.read_text(encoding="utf-8"))
        # As pins are written: a font's 2.012 is 2.12.
        yield normal(headers["Name"]), str(Version(headers["Version"]))


def pinned(requirements: Path) -> dict[str, str]:
    lines = requirements.read_text(encoding="utf-8").splitlines()
    pins = (line.split()[0].split("==") for line in lines if "==" in line)
    return {normal(name): version for name, version in pins}


def normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def test_botocore_knows_the_services_in_use_and_no_other(build: Build) -> None:
    data = build.dependencies / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == SERVICES
    assert {"endpoints.json", "partitions.json", "_retry.json"} <= {
        path.name for path in data.iterdir()
    }


def test_our_own_layer_holds_the_whole_package(build: Build) -> None:
    source = ROOT / "layers" / "storyhook" / "python"
    # The catalogue's sources have become one file that is read faster.
    sources = {f"storyhook/domain/{name}" for name in catalogue.SOURCES}
    made = {f"storyhook/pages/{name}.gz" for name in pages.FILES}
    made.add(f"storyhook/domain/{catalogue.BUILT}")
    assert files(build.layers[1]) == files(source) - sources | made


def files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


@pytest.mark.parametrize("layer", ["dependencies", "exports"])
def test_the_same_input_gives_the_same_bytes(
    builds: dict[str, Build], tmp_path: Path, layer: str
) -> None:
    build = builds["arm64"]
    subprocess.run(
        [
            *(DEV_PYTHON, "-I", ROOT / "layers" / "dependencies" / "build.py"),
            *("--layer", layer, "--architecture", build.architecture, "--artifacts", tmp_path),
            *("--uv", TOOLS / "uv" / "bin" / "uv"),
        ],
        check=True,
    )
    assert digests(tmp_path / "python") == digests(getattr(build, layer))


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_built_template_points_at_what_is_there(build: Build) -> None:
    template = yaml.safe_load((build.folder / "template.yaml").read_text(encoding="utf-8"))
    of_type = {
        name: resource
        for name, resource in template["Resources"].items()
        if "CodeUri" in resource.get("Properties", {})
    }
    assert len(of_type) == len(FUNCTIONS)
    for name, function in of_type.items():
        code = build.folder / function["Properties"]["CodeUri"]
        assert (code / "app.py").is_file(), name
    for name in ("DependenciesLayer", "ExportsLayer"):
        layer = template["Resources"][name]["Metadata"]
        assert layer["BuildArchitecture"] == build.architecture


def test_a_layer_without_an_architecture_is_not_built(tmp_path: Path) -> None:
    """SAM's own default would be x86_64 wheels, whatever the functions run on."""
    template = ROOT / "template.yaml"
    text = template.read_text(encoding="utf-8")
    line = "ContextPath: !Sub layers/dependencies/${Architecture}"
    assert line in text
    broken = tmp_path / "template.yaml"
    broken.write_text(text.replace(line, ""), encoding="utf-8")
    done = subprocess.run(
        [
            *(SAM, "build", "DependenciesLayer", "--template", broken, "--base-dir", ROOT),
            *("--build-dir", tmp_path / "build"),
        ],
        cwd=tmp_path,
        env=environments.sam("http://127.0.0.1:1", tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Makefile not found" in done.stderr
