/** Who may do what on a socket: judged by who makes the call, not by who opened it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_DROP_MEMBERSHIP,
  NETLINK_GENERIC,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  NLM_F_ACK,
  NLM_F_REQUEST,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { viewOf, Writer } from '../../wire/index.ts'
import { type Credentials, UserNamespace } from '../credentials.ts'
import { EPERM } from '../errno.ts'
import { Kernel } from '../kernel.ts'
import { KernelSocketOps } from './ops.ts'
import { SO_RCVBUFFORCE, SOL_SOCKET } from './socket-options.ts'

const root: Credentials = { pid: 100, uid: 0, gid: 0, capabilities: 'all' }
const nobody: Credentials = { pid: 200, uid: 1000, gid: 1000, capabilities: new Set() }
const RTNLGRP_IPV4_MROUTE_R = 30
const SO_PASSCRED = 16

test('joining, binding, connecting, options: a privileged opener is no help', () => {
  const kernel = new Kernel()
  const open = (protocol: number, as: Credentials) =>
    kernel.netlink.socket(kernel.initNet, protocol, as)
  for (const [opener, caller, expected] of [
    [root, nobody, -EPERM],
    [nobody, root, 0],
    [root, root, 0],
    [nobody, nobody, -EPERM],
  ] as const) {
    const sock = open(NETLINK_USERSOCK, opener)
    const route = open(NETLINK_ROUTE, opener)
    const generic = open(NETLINK_GENERIC, opener)
    const join = (on: typeof sock, group: number) =>
      on.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group, caller)
    assert.deepEqual(
      [
        join(sock, 3),
        sock.bind(0, 1, caller),
        sock.setsockopt(SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, 3, caller),
        sock.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1, caller),
        sock.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, 5000, caller),
        join(route, RTNLGRP_IPV4_MROUTE_R),
        route.bind(0, 1 << (RTNLGRP_IPV4_MROUTE_R - 1), caller),
        generic.connect(777, 0, caller),
        generic.send([Uint8Array.of(1)], { group: 5 }, { current: caller }) === -EPERM ? -EPERM : 0,
      ],
      new Array(9).fill(expected),
      `opened by ${opener.uid}, called by ${caller.uid}`,
    )
    assert.equal(join(route, 1), 0)
    assert.equal(join(generic, 16), 0)
  }
})

test('autobind takes the id of who makes the call', () => {
  const kernel = new Kernel()
  const sock = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
  assert.equal(sock.bind(0, 0, nobody), 0)
  assert.equal(sock.portid, nobody.pid)
})

test('a change needs the right of the sender, and of the opener unless a destination is named', () => {
  const kernel = new Kernel()
  const w = new Writer()
  const mark = w.messageStart(19, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
  w.put(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0))
  w.messageEnd(mark)
  const buffer = new Uint8Array(4096)
  const outcome = (opener: Credentials, caller: Credentials, isNamed: boolean): number => {
    const sock = kernel.netlink.socket(kernel.initNet, NETLINK_ROUTE, opener)
    sock.send([w.peek()], isNamed ? {} : undefined, { current: caller })
    sock.receive(buffer)
    sock.close()
    return viewOf(buffer).getInt32(16, true)
  }
  assert.equal(outcome(root, root, false), 0)
  assert.equal(outcome(nobody, nobody, true), -EPERM)
  assert.equal(outcome(root, nobody, false), -EPERM)
  assert.equal(outcome(root, nobody, true), -EPERM)
  assert.equal(outcome(nobody, root, false), -EPERM)
  assert.equal(outcome(nobody, root, true), 0)
})

test('root of another user namespace is nobody here, and the owner of a child is root there', () => {
  const kernel = new Kernel()
  const child = new UserNamespace(kernel.initUserNs, 1000)
  const net = kernel.addNet('child', child)
  const inChild: Credentials = { ...root, userNs: child }
  const join = (at: typeof net, as: Credentials) =>
    kernel.netlink
      .socket(at, NETLINK_USERSOCK, as)
      .setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 1)
  assert.equal(join(kernel.initNet, inChild), -EPERM)
  assert.equal(join(net, inChild), 0)
  assert.equal(join(net, nobody), 0)
  assert.equal(join(net, { ...nobody, uid: 1001 }), -EPERM)
})

test('what a sender claims to be is what the reader is told', () => {
  const kernel = new Kernel()
  const one = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
  const two = kernel.netlink.socket(kernel.initNet, NETLINK_USERSOCK, root)
  two.bind(2)
  one.send([Uint8Array.of(1)], { portid: 2 }, { current: root, claimed: nobody })
  one.send([Uint8Array.of(1)], { portid: 2 })
  const seen = [1, 2].map(() => {
    two.receive(new Uint8Array(1))
    return two.senderCredentials?.uid
  })
  assert.deepEqual(seen, [1000, 0])
})

test('who asks for it is told who sent, and that the kernel is pid 0', () => {
  const kernel = new Kernel()
  const w = new Writer()
  const mark = w.messageStart(1, NLM_F_ACK, 1, 0)
  w.messageEnd(mark)
  const sock = kernel.netlink.socket(kernel.initNet, NETLINK_ROUTE, root)
  const ops = new KernelSocketOps(sock)
  const told = () => {
    sock.send([w.peek()])
    assert.equal(ops.recvmsg(new Uint8Array(64), 0), 36)
    return ops.senderCredentials
  }
  assert.equal(told(), undefined)
  const one = new Uint8Array(4)
  one[0] = 1
  assert.equal(ops.setsockopt(SOL_SOCKET, SO_PASSCRED, one, root), 0)
  const { pid, uid, gid } = told() ?? {}
  assert.deepEqual([pid, uid, gid], [0, 0, 0])
})
