"""What the local cloud does to the machine it runs on."""

from pathlib import Path

from local.cloud import LocalCloud

_LISTEN = "0A"
_LOOPBACK = "0100007F"


def test_it_listens_on_loopback_only(cloud: LocalCloud) -> None:
    ports = {f"{port:04X}": name for name, port in cloud.state.ports.items()}
    listening = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, _, state = line.split()[1:4]
        host, _, port = address.partition(":")
        if state == _LISTEN and port in ports:
            listening[ports[port]] = host
    assert set(listening) == set(cloud.state.ports)
    assert set(listening.values()) == {_LOOPBACK}
