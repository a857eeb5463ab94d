"""A kernel's socket at sys.argv[1], of another version, or of something that is no kernel at all."""
import socket
import struct
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
listener.listen()
print('ready', flush=True)
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    if sys.argv[2] == 'version':
        connection.send(struct.pack('<BBHiI28x', 1, 0, 0, -71, 99))
    elif sys.argv[2] == 'garbage':
        connection.send(b'ok')
    connection.close()
