#!/usr/bin/env python3
"""Makes a network of five ports over HTTP, sends two frames through it, and checks the counters. Needs nothing else.

    switchd --http 127.0.0.1:9100 &
    python3 docs/examples/five_ports_http.py http://127.0.0.1:9100
"""

import json
import socket
import sys
import urllib.request


def post(verb, **fields):
    """Changes something; what the daemon refuses is an urllib.error.HTTPError."""
    return json.load(urllib.request.urlopen(f"{sys.argv[1]}/v1/{verb}", json.dumps(fields).encode()))


post("add_network", name="five")
vms = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5)]
for number, vm in enumerate(vms):
    vm.bind(("127.0.0.1", 0))
    port = f"vm{number}=udp:127.0.0.1:0,remote=127.0.0.1:{vm.getsockname()[1]},network=five"
    host, _, its_port = post("add_port", port={"text": port})["ports"][0]["address"].rpartition(":")
    vm.connect((host, int(its_port)))

vms[0].send(bytes.fromhex("ffffffffffff 525400000000 88b5") + bytes(46))  # a broadcast reaches all others
assert all(len(vm.recv(2000)) == 60 for vm in vms[1:])
vms[1].send(bytes.fromhex("525400000000 525400000001 88b5") + bytes(46))  # and its answer the first alone
assert len(vms[0].recv(2000)) == 60

ports = json.load(urllib.request.urlopen(f"{sys.argv[1]}/v1/ports?network=five"))["ports"]
assert [(port["counters"]["flooded"], port["counters"]["unicast"]) for port in ports] == [(1, 0), (0, 1)] + [(0, 0)] * 3
assert not any(sum(port["counters"]["drops"].values()) for port in ports)
for number in range(5):
    post("remove_port", name=f"vm{number}")
post("remove_network", name="five")
print("2 frames went through 5 ports, and every counter is as it should be")
