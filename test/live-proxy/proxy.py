#!/usr/bin/env python3
"""The kernel's end of the preload shim, in front of the machine's own kernel.

Each socket of a program behind the shim is a real AF_NETLINK socket here, in the network namespace
of this process. So what a program says can be compared with what it says without the shim, and the
shim alone is under test. Usage: proxy.py SOCKET; says "ready" once it listens.
"""
import ctypes
import errno
import os
import select
import selectors
import socket
import struct
import sys

MAGIC, VERSION = 0x544B4C4E, 1
REQUEST = struct.Struct('<BBHIIiQ')
ANSWER = struct.Struct('<BBHiIIIiIIII')
DATA, CONTROL = 32, 33
BIND, CONNECT, GETSOCKNAME, GETPEERNAME, SETSOCKOPT, GETSOCKOPT, SEND, RECEIVE, RELEASE, RETURN, IOCTL = range(1, 12)
HAS_NAME, HAS_CREDENTIALS = 1, 2
RETIRED, PKTINFO, NSID, CREDENTIALS = 1, 2, 4, 8
SOL_NETLINK, SO_ATTACH_FILTER = 270, 26
PAYLOAD = 1 << 20
SIOCGIFCONF, SIOCETHTOOL, IFREQ = 0x8912, 0x8946, 40

libc = ctypes.CDLL(None, use_errno=True)
selector = selectors.DefaultSelector()
sockets = {}


def call(function, *arguments):
    """A system call: its result, or a negative errno."""
    result = function(*arguments)
    return -ctypes.get_errno() if result < 0 else result


class Netlink:
    """A program's socket: its data connection, and the real one."""

    def __init__(self, connection, inode, type_, protocol, pid):
        self.connection, self.inode, self.pid = connection, inode, pid
        self.real = socket.socket(socket.AF_NETLINK, type_, protocol)
        self.real.setblocking(False)
        self.is_bound = False
        self.token, self.last = 0, 0
        self.is_watched = False
        self.watch()

    def fd(self):
        return self.real.fileno()

    def is_readable(self):
        poll = select.poll()
        poll.register(self.fd(), select.POLLIN)
        return bool(poll.poll(0))

    def watch(self):
        if not self.is_watched:
            selector.register(self.real, selectors.EVENT_READ, self.tell)
            self.is_watched = True

    def tell(self):
        """Gives out a token if there is something to receive, and none is out."""
        if self.token or not self.is_readable():
            return
        if self.is_watched:
            selector.unregister(self.real)
            self.is_watched = False
        self.last = (self.last + 1) & 0xFFFFFFFF or 1
        self.token = self.last
        self.connection.send(struct.pack('<I', self.token))

    def settle(self):
        """Flags of an answer, and the number of the token that was retired last."""
        flags = 0
        if self.token and not self.is_readable():
            self.token, flags = 0, RETIRED
            self.watch()
        elif not self.token:
            self.tell()
        return flags, self.last if self.token == 0 else self.last - 1

    def autobind(self):
        """As the kernel would: the program's process id, if it is free."""
        if self.is_bound:
            return
        name = struct.pack('=HHII', socket.AF_NETLINK, 0, self.pid, 0)
        if call(libc.bind, self.fd(), name, len(name)) < 0:
            call(libc.bind, self.fd(), struct.pack('=HHII', socket.AF_NETLINK, 0, 0, 0), 12)
        self.is_bound = True

    def bind(self, name):
        if len(name) >= 12 and not self.is_bound:
            family, pad, pid, groups = struct.unpack_from('=HHII', name)
            if family == socket.AF_NETLINK and pid == 0:
                own = struct.pack('=HHII', family, pad, self.pid, groups)
                result = call(libc.bind, self.fd(), own, len(own))
                if result != -errno.EADDRINUSE:
                    self.is_bound = result == 0
                    return result
        elif len(name) >= 12 and self.is_bound and struct.unpack_from('=I', name, 4)[0] == 0:
            return -errno.EINVAL
        result = call(libc.bind, self.fd(), name, len(name))
        self.is_bound |= result == 0
        return result

    def connect(self, name):
        if len(name) >= 12:
            self.autobind()
        return call(libc.connect, self.fd(), name, len(name))

    def name(self, function):
        into = ctypes.create_string_buffer(12)
        size = ctypes.c_uint32(12)
        result = call(function, self.fd(), into, ctypes.byref(size))
        return result, into.raw if result >= 0 else b''

    def setsockopt(self, level, option, value, length):
        if level == socket.SOL_SOCKET and option == SO_ATTACH_FILTER:
            program = ctypes.create_string_buffer(value, len(value))
            value = struct.pack('@HP', len(value) // 8, ctypes.addressof(program))
            length = len(value)
        return call(libc.setsockopt, self.fd(), level, option, value, length)

    def getsockopt(self, level, option, room):
        into = ctypes.create_string_buffer(max(1, room))
        size = ctypes.c_uint32(room)
        result = call(libc.getsockopt, self.fd(), level, option, into, ctypes.byref(size))
        return (size.value, into.raw[: min(room, size.value)]) if result >= 0 else (result, b'')

    def send(self, name, data):
        self.autobind()
        buffer = ctypes.create_string_buffer(data, len(data))
        flags = socket.MSG_DONTWAIT
        return call(libc.sendto, self.fd(), buffer, len(data), flags, name, len(name or b''))

    def receive(self, room, flags):
        """The datagram's length, the answer's fields, and what fits."""
        wanted = flags & (socket.MSG_PEEK | socket.MSG_OOB) | socket.MSG_DONTWAIT | socket.MSG_TRUNC
        into = bytearray(room)
        try:
            length, beside, _, address = self.real.recvmsg_into([into], 256, wanted)
        except OSError as error:
            return -error.errno, 0, [0] * 7, b''
        set_, fields = 0, [address[0] & 0xFFFFFFFF, address[1] & 0xFFFFFFFF, 0, 0, 0, 0, 0]
        for level, kind, value in beside:
            if (level, kind) == (SOL_NETLINK, 3):
                set_, fields[2] = set_ | PKTINFO, struct.unpack('=I', value)[0]
            elif (level, kind) == (SOL_NETLINK, 8):
                set_, fields[3] = set_ | NSID, struct.unpack('=i', value)[0]
            elif (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                set_ |= CREDENTIALS
                fields[4:7] = struct.unpack('=III', value)
        return length, set_, fields, bytes(into[: min(length, room)])

    def close(self):
        if sockets.get(self.inode) is not self:
            return
        del sockets[self.inode]
        if self.is_watched:
            selector.unregister(self.real)
        selector.unregister(self.connection)
        self.real.close()
        self.connection.close()

    def is_hung_up(self):
        try:
            return self.connection.recv(4, socket.MSG_DONTWAIT) == b''
        except BlockingIOError:
            return False
        except OSError:
            return True

    def hear(self):
        if self.is_hung_up():
            self.close()


def ioctl(domain, request, payload):
    """An ioctl on an interface: its outcome, and the struct as it is then, with its data."""
    head = payload[: 4 if request == SIOCGIFCONF else IFREQ]
    data = ctypes.create_string_buffer(payload[len(head) :], max(1, len(payload) - len(head)))
    argument = bytearray(head)
    if request == SIOCETHTOOL:
        argument[16:24] = struct.pack('@P', ctypes.addressof(data))
    elif request == SIOCGIFCONF:
        size = struct.unpack('=i', head)[0]
        argument = bytearray(struct.pack('@iP', size, ctypes.addressof(data) if size else 0))
    buffer = ctypes.create_string_buffer(bytes(argument), len(argument))
    with socket.socket(domain if domain in (2, 10) else 2, socket.SOCK_DGRAM) as sock:
        result = call(libc.ioctl, sock.fileno(), ctypes.c_ulong(request), buffer)
    return result, buffer.raw[: len(head)] + data.raw[: len(payload) - len(head)]


def put(connection, result, payload=b'', socket_=None, flags=0, fields=(0,) * 7):
    retired, token = socket_.settle() if socket_ else (0, 0)
    head = ANSWER.pack(1, flags | retired, 0, result, *fields, token)
    connection.send(head + payload)


def serve(connection, packet):
    """Answers one request of a control connection."""
    op, flags, name_length, a, b, c, inode = REQUEST.unpack_from(packet)
    payload = packet[REQUEST.size :]
    if op == IOCTL:
        put(connection, *ioctl(b, a, payload))
        return
    it = sockets.get(inode)
    if it is None:
        put(connection, -errno.EBADF)
    elif op == BIND:
        put(connection, it.bind(payload), b'', it)
    elif op == CONNECT:
        put(connection, it.connect(payload), b'', it)
    elif op in (GETSOCKNAME, GETPEERNAME):
        put(connection, *it.name(libc.getsockname if op == GETSOCKNAME else libc.getpeername), it)
    elif op == SETSOCKOPT:
        put(connection, it.setsockopt(a, b, payload, c), b'', it)
    elif op == GETSOCKOPT:
        put(connection, *it.getsockopt(a, b, c), it)
    elif op == SEND:
        start = name_length + (12 if flags & HAS_CREDENTIALS else 0)
        name = payload[:name_length] if flags & HAS_NAME else None
        put(connection, it.send(name, payload[start:]), b'', it)
    elif op == RECEIVE:
        length, set_, fields, data = it.receive(c, a)
        put(connection, length, data, it, set_, fields)
    elif op == RELEASE:
        it.hear()
        put(connection, 0)
    elif op == RETURN:
        it.token = 0 if it.token == a else it.token
        put(connection, 0, b'', it)
    else:
        put(connection, -errno.EOPNOTSUPP, b'', it)


def greet(connection):
    """The first packet: what the connection is for."""
    selector.unregister(connection)
    packet = connection.recv(4096)
    if len(packet) < REQUEST.size:
        connection.close()
        return
    op, type_, _, magic, version, protocol, inode = REQUEST.unpack_from(packet)
    pid = struct.unpack('iII', connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    if magic != MAGIC or version != VERSION:
        connection.close()
    elif op == CONTROL:
        put(connection, 0)
        selector.register(connection, selectors.EVENT_READ, lambda: hear(connection))
    else:
        try:
            it = Netlink(connection, inode, type_, protocol, pid)
        except OSError as error:
            put(connection, -error.errno)
            connection.close()
            return
        sockets[inode] = it
        put(connection, 0)
        selector.register(connection, selectors.EVENT_READ, it.hear)


def hear(connection):
    try:
        packet = connection.recv(REQUEST.size + PAYLOAD)
    except OSError:
        packet = b''
    if packet:
        serve(connection, packet)
    else:
        selector.unregister(connection)
        connection.close()


def main(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen(128)

    def accept():
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        selector.register(connection, selectors.EVENT_READ, lambda: greet(connection))

    selector.register(listener, selectors.EVENT_READ, accept)
    print('ready', flush=True)
    while True:
        for key, _ in selector.select():
            try:
                key.data()
            except (BrokenPipeError, ConnectionResetError):
                pass


main(sys.argv[1])
