"""python -m local.simulators.fal --port N [--settings file.json]"""

from local.simulators.fal.app import build
from local.simulators.server import arguments, serve
from local.simulators.settings import FalSettings


def main() -> None:
    options = arguments("fal")
    settings = FalSettings.from_file(options.settings)
    serve("fal", options, lambda url: build(settings, url))


if __name__ == "__main__":
    main()
