"""Addresses as they stand in URLs and in the configuration."""

from ipaddress import ip_address


def is_ip_address(host: str) -> bool:
    """Whether it is a literal address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. A name other than `localhost` may mean anything."""
    return host.lower() == "localhost" or (is_ip_address(host) and ip_address(host).is_loopback)


def url_of(host: str, port: int) -> str:
    """What a browser on this machine is told to open."""
    anywhere = is_ip_address(host) and ip_address(host).is_unspecified
    shown = "127.0.0.1" if anywhere else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
