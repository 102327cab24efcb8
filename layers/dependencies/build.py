"""Build a layer of other people's code for one architecture, on any machine: install, trim, check,
compile.

Called by arm64/Makefile or x86_64/Makefile of layers/dependencies and layers/exports, which
`sam build` calls. Wheels are chosen by platform,
so an arm64 layer is made on an x86 machine without Docker; nothing is compiled from C here.
The same input gives the same bytes, so that an unchanged layer is not deployed again.
"""

import argparse
import compileall
import gzip
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Wheel platform and ELF e_machine of each architecture, under Lambda's own names.
PLATFORMS = {
    "arm64": ("aarch64-manylinux_2_28", 0xB7),
    "x86_64": ("x86_64-manylinux_2_28", 0x3E),
}
PYTHON_VERSION = "3.13"
LAYERS = Path(__file__).resolve().parents[1]
ELF_MAGIC = b"\x7fELF"

# botocore carries the API descriptions of some 400 services, 27 MB; these are the ones used.
# `sts` is there for credentials that botocore itself fetches.
SERVICES = {"dynamodb", "s3", "sqs", "ssm", "stepfunctions", "sts"}
# Of the two largest, only these operations: a client reads its service's whole description when
# it is made. HeadBucket is botocore's own, and CreateBucket what it makes a form for an upload of.
# A new call that is missing here fails locally too.
OPERATIONS = {
    "s3": {"CreateBucket", "GetObject", "HeadBucket", "ListObjectsV2", "PutObject"},
    "ssm": {"GetParameter"},
}
ENDPOINTS = {*SERVICES, "states"}  # how endpoints.json calls Step Functions
# niquests brings urllib3-future, which replaces the urllib3 package that botocore needs.
FORBIDDEN = {"niquests", "urllib3_future"}

USELESS_FOLDERS = {"tests", "examples"}  # directly in a package
USELESS_SUFFIXES = {".c", ".h", ".pxd", ".pyi", ".pyx"}
USELESS_FONTS = "*-Italic*.ttf"  # what is emphasised in an export is bold
# Licences, METADATA (importlib.metadata reads it) and entry points stay.
USELESS_IN_DIST_INFO = {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "top_level.txt"}
SAME_TIME = 946684800  # 2000-01-01T00:00:00Z, for every file


def main() -> None:
    options = arguments()
    target = Path(options.artifacts).resolve() / "python"
    try:
        install(Path(options.uv), options.architecture, LAYERS / options.layer, target)
        trim(target)
        check(target, options.architecture)
        compile_all(target)
    except BuildError as problem:
        sys.exit(f"layers/{options.layer}: {problem}")
    for path in [target, *target.rglob("*")]:
        os.utime(path, (SAME_TIME, SAME_TIME))


class BuildError(Exception):
    """The layer would be wrong; nothing of it may be used."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layer", default="dependencies", help="the folder with its pins")
    parser.add_argument("--architecture", required=True, choices=sorted(PLATFORMS))
    parser.add_argument("--artifacts", required=True, help="the folder that becomes /opt")
    parser.add_argument("--uv", required=True, help="the installer")
    return parser.parse_args()


def install(uv: Path, architecture: str, layer: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    platform, _ = PLATFORMS[architecture]
    done = subprocess.run(
        [
            *(str(uv), "pip", "install", "--quiet", "--target", str(target)),
            *("--python", sys.executable),
            *("--python-version", PYTHON_VERSION, "--python-platform", platform),
            *("--only-binary", ":all:", "--require-hashes", "--no-deps"),
            # Copies: the files are changed below, and links would change the download cache.
            *("--link-mode", "copy"),
            *("--requirements", str(layer / "requirements.txt")),
        ],
        check=False,
    )
    if done.returncode != 0:
        raise BuildError("the requirements could not be installed (see above)")


def trim(target: Path) -> None:
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and path.name in USELESS_FOLDERS and path.parent.parent == target:
            shutil.rmtree(path)
        elif path.is_file() and is_useless(path):
            path.unlink()
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    for font in target.rglob(USELESS_FONTS):
        font.unlink()
    if (target / "botocore").is_dir():
        trim_botocore(target)


def trim_botocore(target: Path) -> None:
    for data in (target / "botocore" / "data", target / "boto3" / "data"):
        for service in data.iterdir():
            if service.is_dir() and service.name not in SERVICES:
                shutil.rmtree(service)
    slim_descriptions(target / "botocore" / "data")


def slim_descriptions(data: Path) -> None:
    """What botocore reads on every cold start: unpacked, without documentation and layout, and
    without other services. A fifth of the size, and 20 ms of CPU less per cold start."""
    for packed in data.rglob("*.json.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    for path in data.rglob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if path.name == "service-2.json":
            content = without_documentation(content)
            keep_operations(content, OPERATIONS.get(path.parents[1].name))
        if path.name == "endpoints.json":
            for partition in content["partitions"]:
                known = partition["services"]
                partition["services"] = {n: known[n] for n in sorted(ENDPOINTS & known.keys())}
        path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def without_documentation(value: Any) -> Any:
    if isinstance(value, list):
        return [without_documentation(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    # Empty, not absent: botocore reads some of them.
    return {
        name: ""
        if name == "documentation" and isinstance(entry, str)
        else without_documentation(entry)
        for name, entry in value.items()
    }


def keep_operations(service: dict[str, Any], names: set[str] | None) -> None:
    """The operations, and the shapes that can be reached from them."""
    if names is None:
        return
    service["operations"] = {name: service["operations"][name] for name in sorted(names)}
    waiting, reached = list(shapes_in(service["operations"])), set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += shapes_in(service["shapes"][name])
    service["shapes"] = {n: shape for n, shape in service["shapes"].items() if n in reached}


def shapes_in(value: Any) -> Iterator[str]:
    for entry in value.values() if isinstance(value, dict) else value:
        if isinstance(entry, dict | list):
            yield from shapes_in(entry)
    if isinstance(value, dict) and isinstance(value.get("shape"), str):
        yield value["shape"]


def is_useless(path: Path) -> bool:
    in_dist_info = path.parent.suffix == ".dist-info"
    return path.suffix in USELESS_SUFFIXES or (in_dist_info and path.name in USELESS_IN_DIST_INFO)


def check(target: Path, architecture: str) -> None:
    """What must never be wrong in silence: a binary for another machine, a forbidden package."""
    _, wanted = PLATFORMS[architecture]
    binaries = [path for path in target.rglob("*.so*") if path.is_file()]
    if not binaries:
        raise BuildError("no binary modules arrived, and each layer has some")
    for path in binaries:
        head = path.read_bytes()[:20]
        if head[:4] != ELF_MAGIC or int.from_bytes(head[18:20], "little") != wanted:
            raise BuildError(f"{path.relative_to(target)} is not for {architecture}")
    for info in target.glob("*.dist-info"):
        name = re.sub(r"[-_.]+", "_", info.name.partition("-")[0]).lower()
        if name in FORBIDDEN:
            raise BuildError(f"{name} must not be in the layer")


def compile_all(target: Path) -> None:
    """Bytecode beside each source. /opt is read-only in Lambda: without it, every cold start
    would compile everything anew. Unchecked, because no source changes after this."""
    done = compileall.compile_dir(
        str(target),
        quiet=1,
        stripdir=str(target.parent),
        prependdir="/opt",  # the path that a traceback shows
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise BuildError("some modules could not be compiled (see above)")


if __name__ == "__main__":
    main()
