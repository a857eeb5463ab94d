"""Asks for acknowledgements one by one, and says how many came."""
import socket
import struct
import sys

sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
print('ready', flush=True)
sys.stdin.readline()
count = 0
for seq in range(200):
    sock.send(struct.pack('=IHHII', 16, 1, 5, seq, 0))
    length, kind, flags, echoed, _ = struct.unpack_from('=IHHII', sock.recv(4096))
    count += (kind, echoed) == (2, seq)
print(count, flush=True)
