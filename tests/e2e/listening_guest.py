#!/usr/bin/env python3
"""A guest that listens (socket,listen=) is reached by tcp-connect, whenever it comes, and again when it comes back."""

from __future__ import annotations

from judge import expect_all_pings, expect_all_transfers, ping_size, serve
from lab import Lab, run

PORT = 7001


def listening_guest(lab: Lab) -> None:
    host = lab.host("one")
    switch = lab.switch(host, f"out=tcp-connect:127.0.0.1:{PORT}", "in=tcp-listen:0")
    listener = lab.guest(host, "listener", f"socket,listen=127.0.0.1:{PORT}")
    other = lab.guest(host, "other", f"socket,connect=127.0.0.1:{switch.number('in')}")
    lab.boot([listener, other])
    switch.wait_port("out", "up")
    expect_all_pings([listener, other])
    expect_all_pings([listener, other], ping_size(1500))
    serve([listener, other])
    expect_all_transfers([listener, other])

    seen = switch.lines_seen()
    listener.kill()
    switch.wait_port("out", "down", after=seen)
    seen = switch.lines_seen()
    lab.boot([listener])
    switch.wait_port("out", "up", after=seen)
    expect_all_pings([listener, other])
    switch.check_ledger()
    switch.stop()


if __name__ == "__main__":
    run(listening_guest)
