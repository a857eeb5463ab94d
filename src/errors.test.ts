/** The three errors: code, errno, sentence, and what a caller can tell from them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError, EncodeError, isNetlinkError, NetlinkError } from './errors.ts'

test('a refusal has the code, a negative errno and the kernel text', () => {
  const error = new NetlinkError('EEXIST')
  assert.equal(error.code, 'EEXIST')
  assert.equal(error.errno, -17)
  assert.equal(error.message, 'File exists (EEXIST)')
  assert.equal(error.name, 'NetlinkError')
  assert.ok(error instanceof Error)
})

test('a string detail is the extack message', () => {
  const error = new NetlinkError('EINVAL', 'Invalid VLAN id')
  assert.deepEqual(error.extack, { message: 'Invalid VLAN id' })
  assert.equal(error.message, 'Invalid VLAN id (EINVAL)')
})

test('the sentence names the request, the path and what is missing', () => {
  const rows = [
    [{ request: 'RTM_NEWLINK' }, 'RTM_NEWLINK: Invalid argument (EINVAL)'],
    [{ syscall: 'bind' }, 'bind: Invalid argument (EINVAL)'],
    [{ request: 'RTM_NEWLINK', syscall: 'sendmsg' }, 'RTM_NEWLINK: Invalid argument (EINVAL)'],
    [
      { extack: { message: 'Bad id', attribute: 'linkinfo.data.id' } },
      'Bad id (EINVAL) at linkinfo.data.id',
    ],
    [{ extack: { missing: 'ifname' } }, 'Invalid argument (EINVAL), ifname is missing'],
    [{ extack: { missing: 0 } }, 'Invalid argument (EINVAL), 0 is missing'],
    [{ message: 'Whole sentence' }, 'Whole sentence (EINVAL)'],
  ] as const
  for (const [init, sentence] of rows)
    assert.equal(new NetlinkError('EINVAL', init).message, sentence)
})

test('a client-side fault has no errno', () => {
  const error = new NetlinkError('NETLINK_TIMEOUT', { message: 'No answer within 5 s' })
  assert.equal(error.errno, undefined)
  assert.equal(error.message, 'No answer within 5 s (NETLINK_TIMEOUT)')
})

test('cause and hint are kept, and cause is absent unless given', () => {
  const cause = new Error('why')
  const error = new NetlinkError('EPERM', { cause, hint: 'Run as root.' })
  assert.equal(error.cause, cause)
  assert.equal(error.hint, 'Run as root.')
  assert.equal('cause' in new NetlinkError('EPERM'), false)
})

test('isNetlinkError looks at the brand and the code', () => {
  const error = new NetlinkError('EPERM')
  assert.ok(isNetlinkError(error))
  assert.ok(isNetlinkError(error, 'EPERM'))
  assert.equal(isNetlinkError(error, 'ENOENT'), false)
  for (const other of [undefined, null, 'EPERM', 1, {}, new Error('EPERM'), { code: 'EPERM' }])
    assert.equal(isNetlinkError(other), false)
})

test('isNetlinkError knows the error of another copy of the package', () => {
  const foreign = Object.assign(new Error('x'), {
    [Symbol.for('nlkit.error')]: true,
    code: 'EBUSY',
  })
  assert.ok(isNetlinkError(foreign, 'EBUSY'))
})

test('the brand does not show in a printed error', () => {
  assert.deepEqual(Object.getOwnPropertySymbols({ ...new NetlinkError('EPERM') }), [])
})

test('a DecodeError says where: offset and path', () => {
  const error = new DecodeError('nla_len 2 is shorter than its header', 20, 'linkinfo.data')
  assert.equal(error.message, 'nla_len 2 is shorter than its header (at byte 20, linkinfo.data)')
  assert.equal(error.code, 'NETLINK_DECODE')
  assert.equal(new DecodeError('too short', 0).message, 'too short (at byte 0)')
  assert.equal(isNetlinkError(error), false)
})

test('an EncodeError is a TypeError that names the value', () => {
  const error = new EncodeError('300 is above 128', 'addresses[2].prefixlen')
  assert.ok(error instanceof TypeError)
  assert.equal(error.message, 'addresses[2].prefixlen: 300 is above 128')
  assert.equal(error.code, 'NETLINK_ENCODE')
  assert.equal(new EncodeError('attribute of 70000 bytes').message, 'attribute of 70000 bytes')
})
