#!/usr/bin/env python3
"""Makes a network of five ports in a switchd that runs, sends two frames through it, and checks the counters.

Needs python3-protobuf and, once, the messages of the control protocol as a Python module. In the folder of the sources:

    protoc --python_out=. -I switchd switchd/control.proto
    switchd --control /tmp/five.sock &
    PYTHONPATH=. python3 docs/examples/five_ports.py /tmp/five.sock
"""

import socket
import struct
import sys
import time

import control_pb2

control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
answers = control.makefile("rb")


def ask(**verb):
    """Sends one request, and returns the response to it."""
    request = control_pb2.Request(id=1, **verb).SerializeToString()
    control.sendall(struct.pack(">I", len(request)) + request)
    response = control_pb2.Response.FromString(answers.read(*struct.unpack(">I", answers.read(4))))
    assert not response.HasField("error"), response.error.message
    return response


def add_port(text):
    """Adds a port, and returns the address that was bound."""
    host, _, number = ask(add_port={"port": {"text": text}}).ports.ports[0].address.rpartition(":")
    return host, int(number)


def counters():
    return {port.name: port.counters for port in ask(list_ports={"network": "five"}).ports.ports}


# Four VMs on UDP, where a frame is a datagram, and one on TCP, where each frame has its length in front.
ask(add_network={"name": "five"})
vms = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
for number, vm in enumerate(vms, start=1):
    vm.settimeout(10)
    vm.bind(("127.0.0.1", 0))
    vm.connect(add_port(f"vm{number}=udp:127.0.0.1:0,remote=127.0.0.1:{vm.getsockname()[1]},network=five"))
vm5 = socket.create_connection(add_port("vm5=tcp-listen:127.0.0.1:0,network=five"), timeout=10)

# A broadcast of the fifth reaches the others, and tells the switch where the fifth is; so the first reaches it alone.
broadcast = bytes.fromhex("ffffffffffff 525400000005 88b5") + bytes(46)
unicast = bytes.fromhex("525400000005 525400000001 88b5") + bytes(46)
vm5.sendall(struct.pack(">I", len(broadcast)) + broadcast)
assert all(vm.recv(2000) == broadcast for vm in vms)
vms[0].send(unicast)
assert vm5.recv(64, socket.MSG_WAITALL) == struct.pack(">I", len(unicast)) + unicast

deadline = time.monotonic() + 10
while counters()["vm5.1"].sent_frames == 0 and time.monotonic() < deadline:
    time.sleep(0.01)  # a frame may arrive a moment before it is counted
count = counters()
assert (count["vm5.1"].flooded, count["vm5.1"].received_bytes, count["vm5.1"].sent_frames) == (1, 60, 1)
assert (count["vm1"].unicast, count["vm1"].flooded) == (1, 0)
assert [count[f"vm{number}"].sent_frames for number in (1, 2, 3, 4)] == [1, 1, 1, 1]
assert not any(drops for port in count.values() for drops in port.drops.values())

for number in (1, 2, 3, 4, 5):
    ask(remove_port={"name": f"vm{number}"})
ask(remove_network={"name": "five"})
print("2 frames went through 5 ports, and every counter is as it should be")
