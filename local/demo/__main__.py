"""A story becomes pictures on a local cloud, without account or keys.

make demo
make demo MODEL=rep-flux2-pro
make demo STORY=stories/lost-lighthouse.json ARGS="--out out/lighthouse"
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from local.cloud import StartFailed
from local.cloud.places import ROOT
from local.demo.problem import DemoFailed
from local.demo.results import SHEET
from local.demo.run import Demo
from local.demo.story import DEFAULT_MODEL, load_story
from storyhook_client import StoryhookError

STORY = Path("stories/ancient-map.json")
OUT = Path("out/demo")


def main() -> int:
    options = _arguments()
    console = Console(highlight=False)
    try:
        story = load_story(options.story, options.model)
        Demo(console, story, options.out).run()
    except (DemoFailed, StartFailed, StoryhookError) as problem:
        console.print(Text(f"demo: {problem}", style="red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; everything is stopped")
        return 130
    console.print(Text(f"Look at {options.out / SHEET}"), soft_wrap=True)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.demo", description="A story becomes pictures on a local cloud."
    )
    parser.add_argument("--model", help=f"default: the story's, or {DEFAULT_MODEL}")
    parser.add_argument("--story", type=Path, default=_here(STORY), help=f"default: {STORY}")
    parser.add_argument("--out", type=Path, default=_here(OUT), help=f"default: {OUT}")
    return parser.parse_args()


def _here(path: Path) -> Path:
    """The project's own, short where it can be."""
    return path if Path.cwd() == ROOT else ROOT / path


if __name__ == "__main__":
    sys.exit(main())
