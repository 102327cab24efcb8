"""python -m local.simulators.replicate --port N [--settings file.json]"""

from local.simulators.replicate.app import build
from local.simulators.server import arguments, serve
from local.simulators.settings import ReplicateSettings


def main() -> None:
    options = arguments("replicate")
    settings = ReplicateSettings.from_file(options.settings)
    serve("replicate", options, lambda url: build(settings, url))


if __name__ == "__main__":
    main()
