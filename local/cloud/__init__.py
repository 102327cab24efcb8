"""The local cloud: the same template on an AWS emulator, with simulated providers. See client.py.

    with LocalCloud.start(name="demo", progress=print) as cloud:
        httpx.post(cloud.api_url + "/storyboards", ...)

Three kinds of processes, each ended by the one above it, however that one ends:

    owner (demo, a test run, or nobody for `make up`)
      └ supervisor       starts the rest, builds, deploys, then waits
          └ guard, one per child          ends its child's whole process group
              └ emulator, fal, replicate (or, with real keys, ticker), and for a while `sam`

Each holds a pipe that its parent keeps open, the lifeline; when the parent is gone, in whatever
way, the pipe ends and so does the child.
"""

from local.cloud.client import LocalCloud
from local.cloud.providers import Providers, own_keys
from local.cloud.state import CloudState, StartFailed

__all__ = ["CloudState", "LocalCloud", "Providers", "StartFailed", "own_keys"]
