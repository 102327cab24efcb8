"""The rules of the house: who may import whom, and what each function loads.

The rules are the tables at the top; everything below only checks them.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = Path(os.environ.get("STORYHOOK_LAYER", ROOT / "layers/storyhook/python"))
FUNCTIONS = Path(os.environ.get("STORYHOOK_FUNCTIONS", ROOT / "functions"))

# room of the house -> (rooms it may import besides itself, packages of others)
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "domain": (set(), set()),
    "ports": ({"domain"}, set()),
    "usecases": ({"domain", "ports"}, set()),
    "http": ({"domain", "ports", "usecases"}, {"pydantic"}),
    "providers": ({"domain", "ports"}, {"httpx", "fal_client", "replicate", "nacl"}),
    "aws": ({"domain", "ports"}, {"botocore"}),
    # What is in layers/imaging, which few functions load.
    "imaging": ({"domain"}, {"PIL"}),
    # What is in layers/exports, which one function alone loads.
    "exports": ({"domain"}, {"PIL", "fpdf", "pypdfium2"}),
    "web": ({"domain", "ports"}, {"urllib3"}),
    "settings": ({"domain"}, set()),
    "logs": (set(), {"aws_lambda_powertools"}),
    "metrics": ({"domain", "logs"}, set()),
    # The composition root: it alone may name the adapters.
    "wiring": (
        {
            *("domain", "ports", "usecases", "http", "providers", "aws", "web", "exports"),
            *("imaging", "settings", "metrics"),
        },
        set(),
    ),
}

# function -> what it may import: its answer's and errors' words, never an adapter
FUNCTION_IMPORTS: dict[str, set[str]] = {
    "api": {"wiring", "logs", "domain", "http", "aws_lambda_powertools"},
    "assemble": {"wiring", "logs"},
    "authorizer": {"wiring"},
    "callback": {"wiring", "logs"},
    "cancel": {"wiring", "logs", "domain", "http"},
    "choose": {"wiring", "logs"},
    "create_prediction": {"wiring", "logs", "domain", "http"},
    "export": {"wiring", "logs"},
    "pages": {"wiring", "domain", "http"},
    "reconcile": {"wiring", "logs"},
    "submit": {"wiring", "logs"},
    "webhook": {"wiring", "logs", "domain", "http"},
}

# what a function builds and uses on its happy path -> packages that must not be loaded then
SDKS = {"fal_client", "replicate", "httpx"}
# What plans: of no use to whoever only sends, settles or ends.
PLANNER = {"storyhook.domain.plan", "storyhook.domain.prompt", "storyhook.usecases.fallback"}
# Nor has it use for characters, once a prediction is planned.
SENDER = {
    *PLANNER,
    "storyhook.domain.story",
    "storyhook.domain.library",
    "storyhook.aws.characters",
}
# What makes files of boards, and is in a layer that the others have not.
RENDERERS = {"PIL", "fpdf", "fontTools", "uharfbuzz", "pypdfium2"}
NEVER = {"boto3", "aws_xray_sdk", "requests"}
LOADS: dict[str, tuple[str, str, set[str]]] = {
    "webhook, fal": ("webhook", "wiring.webhook().reader('fal')", {*SDKS, *SENDER, "pydantic"}),
    "webhook, replicate": (
        "webhook",
        "wiring.webhook().reader('replicate').secrets.all()",
        {*SDKS, *SENDER, "pydantic", "nacl"},
    ),
    "authorizer": ("authorizer", "wiring.authorizer()", {*SDKS, "pydantic", "nacl"}),
    "callback": ("callback", "wiring.callback()", {*SDKS, *SENDER, "pydantic", "nacl"}),
    "assemble": ("assemble", "wiring.assemble()", {*SDKS, *SENDER, "pydantic", "nacl"}),
    "choose": ("choose", "wiring.choose()", {*SDKS, *SENDER, "pydantic", "nacl"}),
    "api": ("api", "module._app()", {*SDKS, *RENDERERS, "nacl"}),
    # Each format loads what it is drawn with when it is asked for.
    "export": ("export", "wiring.export()", {*SDKS, *SENDER, *RENDERERS, "pydantic", "nacl"}),
    "cancel, nothing to ask": ("cancel", "wiring.cancel()", {*SDKS, *PLANNER, "nacl"}),
    "cancel, fal": (
        "cancel",
        "wiring.cancel()[0].provider('fal')",
        {*PLANNER, "replicate", "nacl"},
    ),
    "create_prediction, fal": (
        "create_prediction",
        "wiring.create_prediction()[0].submit.provider('fal')",
        {"replicate", "nacl"},
    ),
    "create_prediction, replicate": (
        "create_prediction",
        "wiring.create_prediction()[0].submit.provider('replicate')",
        {"fal_client", "nacl"},
    ),
    "submit, fal": (
        "submit",
        "wiring.submit()[0].provider('fal')",
        {*SENDER, "replicate", "nacl"},
    ),
    "submit, replicate": (
        "submit",
        "wiring.submit()[0].provider('replicate')",
        {*SENDER, "fal_client", "nacl"},
    ),
    "pages": ("pages", "wiring.pages()", {*SDKS, *PLANNER, "pydantic", "nacl", "botocore"}),
    "reconcile, nothing to ask": (
        "reconcile",
        "wiring.reconcile()",
        {*SDKS, *SENDER, *RENDERERS, "nacl", "pydantic"},
    ),
}

# The only calls that may run while a module is imported: they make values, not things.
PURE_CALLS = {
    *("frozenset", "tuple", "range", "dict.fromkeys", "field", "dataclass_field", "dataclass"),
    *("Decimal",),
    *("timedelta", "datetime"),
    *("re.compile", "ipaddress.ip_network", "cache", "TypeVar", "StrictInt", "Field", "ConfigDict"),
    *("httpx.Timeout", "Config", "_CONFIG.merge", "model_validator", "field_validator"),
    *("AfterValidator", "BeforeValidator", "PlainValidator", "WithJsonSchema"),
    *("Struct", "NewType"),
    # our own frozen values
    *("Failure", "FailureRule", "Price", "Pace", "Codec", "Mapper", "Reservation"),
    *("TIME", "enum_of", "json_of", "packed_json"),
    # builds nothing: how often the process looks for garbage while it starts
    "gc.set_threshold",
}

LARGEST_FILE = 300


@dataclass(frozen=True)
class Import:
    file: str
    room: str
    target: str
    """`storyhook.<room>` as its room; any other package by its top name."""
    module: str


def sources() -> list[Path]:
    return sorted((LAYER / "storyhook").rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(LAYER / "storyhook").parts[0]
    return first.removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(path: Path) -> Iterator[str]:
    """Everything a file imports, also inside functions and for types only."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            # `from storyhook import wiring` names a module, not the package.
            if node.module == "storyhook":
                yield from (f"storyhook.{alias.name}" for alias in node.names)
            else:
                yield node.module


def imports(path: Path) -> list[Import]:
    room = room_of(path) if path.is_relative_to(LAYER) else path.parent.name
    found = []
    for module in modules(path):
        parts = module.split(".")
        target = parts[1] if parts[0] == "storyhook" else parts[0]
        if parts[0] not in sys.stdlib_module_names:
            found.append(Import(path.name, room, target, module))
    return found


def test_the_table_names_every_room() -> None:
    rooms = {room_of(path) for path in sources()} - {"__init__"}
    assert rooms == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_the_table_allows(room: str) -> None:
    ours, others = ROOMS[room]
    found = [entry for path in sources() if room_of(path) == room for entry in imports(path)]
    wrong = [entry for entry in found if entry.target not in {room, *ours, *others}]
    assert wrong == []
    assert {entry.target for entry in found} >= others, "the table allows more than is used"


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("providers/fal", {"replicate"}),
        ("providers/replicate", {"fal_client", "nacl"}),
    ],
)
def test_providers_do_not_know_each_other(folder: str, forbidden: set[str]) -> None:
    for path in (LAYER / "storyhook" / folder).glob("*.py"):
        assert not {i.target for i in imports(path)} & forbidden
        other = "replicate" if folder.endswith("fal") else "fal"
        assert not [i for i in imports(path) if f"providers.{other}" in i.module]


def test_the_table_names_every_function() -> None:
    assert {path.parent.name for path in FUNCTIONS.glob("*/app.py")} == set(FUNCTION_IMPORTS)


@pytest.mark.parametrize("name", FUNCTION_IMPORTS)
def test_a_function_imports_what_the_table_allows(name: str) -> None:
    for path in (FUNCTIONS / name).glob("*.py"):
        wrong = [entry for entry in imports(path) if entry.target not in FUNCTION_IMPORTS[name]]
        assert wrong == []


def test_wiring_imports_its_parts_inside_builders() -> None:
    at_import = [
        node
        for path in (LAYER / "storyhook/wiring").glob("*.py")
        for node in tree(path).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    ours = {ast.unparse(node) for node in at_import if "storyhook" in ast.unparse(node)}
    assert ours == {"from storyhook import settings", "from storyhook.wiring import parts"}


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes under `node` that run when a module is imported."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        inside: list[ast.AST] = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        inside += getattr(node, "decorator_list", [])
    else:
        inside = list(ast.iter_child_nodes(node))
    for child in inside:
        yield child
        yield from run_at_import(child)


@pytest.mark.parametrize(
    "path",
    [*sources(), *sorted(FUNCTIONS.glob("*/*.py"))],
    ids=lambda path: str(path.relative_to(path.parents[2])),
)
def test_nothing_is_built_or_read_at_import(path: Path) -> None:
    nodes = list(run_at_import(tree(path)))
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    assert called <= PURE_CALLS
    read = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    assert not {name for name in read if name.startswith(("os.environ", "os.getenv"))}


def test_only_wiring_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(LAYER))
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers == {"storyhook/wiring/__init__.py"}


PROBE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("app", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from storyhook import wiring
from storyhook.aws.secrets import Secrets
Secrets.find = lambda self, name, decrypted=True: "whsec_" + "A" * 32
eval(sys.argv[2])
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("case", LOADS)
def test_a_function_loads_only_its_own_parts(case: str) -> None:
    """In a process of its own, as at a cold start."""
    function, happy_path, forbidden = LOADS[case]
    values = ["TABLE_NAME", "BUCKET_NAME", "STATE_MACHINE_ARN", "SUBMISSIONS_QUEUE_URL"]
    values += ["CALLBACKS_QUEUE_URL", "EXPORTS_QUEUE_URL", "SECRETS_PREFIX", "IMAGE_HOSTS"]
    values += ["WEBHOOKS", "IMAGE_ORIGINS"]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, FUNCTIONS / function / "app.py", happy_path],
        env={
            "PYTHONPATH": str(LAYER),
            "AWS_DEFAULT_REGION": "us-east-1",
            **dict.fromkeys(values, "x"),
            "WAITING_READS": "5",
            **dict.fromkeys(
                ("API_URL", "FAL_QUEUE_URL", "REPLICATE_URL", "FAL_JWKS_URL"), "https://x.example"
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "storyhook.wiring" in loaded
    assert not loaded & (forbidden | NEVER)


@pytest.mark.parametrize(
    "path",
    [*sources(), *sorted(FUNCTIONS.glob("*/*.py"))],
    ids=lambda path: str(path.relative_to(path.parents[2])),
)
def test_files_are_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LARGEST_FILE


def test_no_module_of_a_function_hides_one_of_the_layers() -> None:
    """A function's folder comes first on sys.path, so a module of the same name would win."""
    pins = (ROOT / "layers/dependencies/requirements.txt").read_text(encoding="utf-8")
    packages = {
        line.split("==")[0].replace("-", "_").lower() for line in pins.splitlines() if "==" in line
    }
    layer = {path.name.removesuffix(".py") for path in LAYER.iterdir()}
    for name in FUNCTION_IMPORTS:
        own = {path.name.removesuffix(".py") for path in (FUNCTIONS / name).iterdir()}
        assert not own & (layer | packages | set(sys.stdlib_module_names))
