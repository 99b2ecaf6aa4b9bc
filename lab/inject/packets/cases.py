"""All packet cases, in the order of the layers."""

from lab.inject.case import Case
from lab.inject.packets import (
    checksums,
    closing,
    dhcp,
    dns,
    ethernet,
    floods,
    icmp,
    ip,
    ipv6,
    options,
    resets,
    segments,
    udp,
    window,
)  # fmt: skip

CASES: list[Case] = [
    *ethernet.CASES, *ip.CASES, *ipv6.CASES, *icmp.CASES, *udp.CASES, *dhcp.CASES, *dns.CASES,
    *checksums.CASES, *segments.CASES, *resets.CASES, *closing.CASES, *options.CASES,
    *window.CASES, *floods.CASES,
]  # fmt: skip
