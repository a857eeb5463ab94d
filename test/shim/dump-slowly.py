"""Asks for all routes, takes one datagram, says so, and stays: for a test that kills it then."""
import socket
import struct
import time

sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
sock.bind((0, 0))
request = struct.pack('=IHHIIB11x', 28, 26, 0x301, 1, 0, socket.AF_INET)
sock.send(request)
sock.recv(4096)
print('dumping', sock.getsockname()[0], flush=True)
time.sleep(60)
