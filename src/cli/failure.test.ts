/** What failures say, as text and as JSON, and with which exit code commands end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError, EncodeError, NetlinkError } from '../errors.ts'
import { EXIT, UsageError } from './exit.ts'
import { type Circumstances, describeFailure } from './failure.ts'

const about = (argv: string, request?: unknown): Circumstances => ({
  argv: argv.split(' '),
  hints: true,
  request,
})

interface Case {
  readonly title: string
  readonly error: unknown
  readonly about?: Circumstances
  readonly exit: number
  readonly lines: readonly string[]
}

const CASES: readonly Case[] = [
  {
    title: 'an errno alone, in small letters',
    error: new NetlinkError('EBUSY', { request: 'RTM_NEWLINK' }),
    exit: EXIT.refused,
    lines: ['error: RTM_NEWLINK: device or resource busy (EBUSY)'],
  },
  {
    title: "the kernel's words, the attribute with its value and place, what is allowed",
    error: new NetlinkError('EINVAL', {
      request: 'RTM_SETLINK',
      extack: {
        message: 'mtu greater than device maximum',
        attribute: 'mtu',
        offset: 32,
        policy: { type: 'u32', min: 68n, max: 65535n },
      },
    }),
    about: about('link set veth0 --mtu 99999999', { mtu: 99999999 }),
    exit: EXIT.refused,
    lines: [
      'error: RTM_SETLINK: mtu greater than device maximum (EINVAL)',
      '  attribute  IFLA_MTU = 99999999   (offset 32)',
      '  allowed    68 … 65535',
    ],
  },
  {
    title: 'without privilege: the ways to have it, each with one kernel',
    error: new NetlinkError('EPERM', { request: 'RTM_NEWLINK' }),
    about: about('--kernel live link set lo mtu 1000'),
    exit: EXIT.refused,
    lines: [
      'error: RTM_NEWLINK: operation not permitted (EPERM)',
      '  hint: needs CAP_NET_ADMIN. Try one of',
      '        nlkit --kernel embedded link set lo mtu 1000           (no root, this process only)',
      '        unshare -rn nlkit --kernel live link set lo mtu 1000   (own user+network namespace)',
    ],
  },
  {
    title: 'another privilege than that has its own hint',
    error: new NetlinkError('EPERM', {
      syscall: 'setsockopt',
      hint: 'listenAllNsid needs CAP_NET_BROADCAST',
    }),
    about: about('monitor all-nsid'),
    exit: EXIT.refused,
    lines: [
      'error: setsockopt: operation not permitted (EPERM)',
      '  hint: listenAllNsid needs CAP_NET_BROADCAST',
    ],
  },
  {
    title: 'an attribute further inward',
    error: new NetlinkError('ERANGE', {
      request: 'RTM_NEWLINK',
      extack: { message: '8021q: Invalid VLAN id', attribute: 'linkinfo.data.id', offset: 60 },
    }),
    about: about('link add v', { linkinfo: { data: { id: 4095 } } }),
    exit: EXIT.refused,
    lines: [
      'error: RTM_NEWLINK: 8021q: Invalid VLAN id (ERANGE)',
      '  attribute  linkinfo.data.id = 4095   (offset 60)',
    ],
  },
  {
    title: 'what is missing',
    error: new NetlinkError('EINVAL', {
      request: 'RTM_NEWNEIGH',
      extack: { message: 'Network address not specified', missing: 'dst' },
    }),
    exit: EXIT.refused,
    lines: ['error: RTM_NEWNEIGH: Network address not specified (EINVAL)', '  missing    NDA_DST'],
  },
  {
    title: 'no privilege: the same command where none is needed',
    error: new NetlinkError('EPERM', { request: 'RTM_NEWLINK' }),
    about: about(`link add d0 --kind dummy`),
    exit: EXIT.refused,
    lines: [
      'error: RTM_NEWLINK: operation not permitted (EPERM)',
      '  hint: needs CAP_NET_ADMIN. Try one of',
      '        nlkit --kernel embedded link add d0 --kind dummy   (no root, this process only)',
      '        unshare -rn nlkit link add d0 --kind dummy         (own user+network namespace)',
    ],
  },
  {
    title: 'a name that is not there',
    error: new NetlinkError('ENODEV', {
      message: 'no link named "veht0"',
      hint: 'did you mean veth0?',
    }),
    exit: EXIT.refused,
    lines: ['error: no link named "veht0" (ENODEV)', '  did you mean veth0?'],
  },
  {
    title: 'a timeout',
    error: new NetlinkError('NETLINK_TIMEOUT', { message: 'no answer within 5 s' }),
    exit: EXIT.timeout,
    lines: ['error: no answer within 5 s (NETLINK_TIMEOUT)'],
  },
  {
    title: 'no addon',
    error: new NetlinkError('NETLINK_NO_NATIVE', {
      message: 'the addon is missing',
      hint: 'build it',
    }),
    exit: EXIT.unreachable,
    lines: ['error: the addon is missing (NETLINK_NO_NATIVE)', '  hint: build it'],
  },
  {
    title: 'a system call before there is a socket',
    error: new NetlinkError('EAFNOSUPPORT', { syscall: 'socket' }),
    about: { argv: ['link'], hints: true, isOpening: true },
    exit: EXIT.unreachable,
    lines: ['error: socket: address family not supported by protocol (EAFNOSUPPORT)'],
  },
  {
    title: 'a value that the schema refuses',
    error: new EncodeError('0 to 4294967295 expected, got -1', 'mtu'),
    exit: EXIT.usage,
    lines: ['error: mtu: 0 to 4294967295 expected, got -1'],
  },
  {
    title: 'bytes that make no sense',
    error: new DecodeError('attribute is cut', 20, 'mtu'),
    exit: EXIT.refused,
    lines: ["error: the kernel's reply makes no sense: attribute is cut (at byte 20, mtu)"],
  },
  {
    title: 'a wrong command line',
    error: new UsageError('unknown command "lnik"', 'did you mean link?'),
    exit: EXIT.usage,
    lines: ['error: unknown command "lnik"', '  did you mean link?'],
  },
]

for (const { title, error, about: given, exit, lines } of CASES) {
  test(title, () => {
    const failure = describeFailure(error, given ?? about('link list'))
    assert.deepEqual(failure?.lines, lines)
    assert.equal(failure?.exit, exit)
    assert.equal(typeof failure?.json.code, 'string')
  })
}

test('without hints there is none, neither as text nor as JSON', () => {
  const error = new NetlinkError('ENODEV', { message: 'no link', hint: 'did you mean veth0?' })
  const failure = describeFailure(error, { argv: [], hints: false })
  assert.deepEqual(failure?.lines, ['error: no link (ENODEV)'])
  assert.equal(failure?.json.hint, undefined)
})

test('JSON has code, errno, message, extack and hint', () => {
  const extack = { message: 'no', attribute: 'mtu', offset: 32, cookie: new Uint8Array([1, 255]) }
  const error = new NetlinkError('EINVAL', { request: 'RTM_SETLINK', extack, hint: 'smaller' })
  assert.deepEqual(describeFailure(error, about('x'))?.json, {
    code: 'EINVAL',
    errno: -22,
    message: 'RTM_SETLINK: no (EINVAL) at mtu',
    request: 'RTM_SETLINK',
    extack: { message: 'no', attribute: 'mtu', offset: 32, cookie: '01ff' },
    hint: 'smaller',
  })
})

test("a fault of nlkit's own is none that it can describe", () => {
  assert.equal(describeFailure(new TypeError('x is undefined'), about('x')), undefined)
})
