import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError, type NetlinkError } from '../errors.ts'
import { type Host, loadAddon } from './addon.ts'

/** A machine on which everything is well, but for `changes`. */
function host(changes: Partial<Host>): Host {
  return {
    platform: 'linux',
    arch: 'x64',
    exists: () => true,
    load: () => ({ version: 2 }),
    ...changes,
  }
}

function refusal(changes: Partial<Host>): NetlinkError {
  try {
    loadAddon(host(changes))
  } catch (error) {
    assert.ok(isNetlinkError(error))
    return error
  }
  return assert.fail('it loaded')
}

test('the addon loads, once', () => {
  assert.equal(loadAddon().version, 2)
  assert.equal(loadAddon(), loadAddon())
})

test('it is looked for by architecture', () => {
  const asked: string[] = []
  const load = (path: string): unknown => {
    asked.push(path)
    return { version: 2 }
  }
  loadAddon(host({ arch: 'arm64', load }))
  assert.match(asked.join(), /native\/socket\/prebuilt\/linux-arm64\.node$/)
})

test('another platform has no live kernel', () => {
  const error = refusal({ platform: 'darwin' })
  assert.equal(error.code, 'NETLINK_PLATFORM')
  assert.match(error.message, /needs Linux; this is darwin/)
})

test('a missing binary names the command that makes it', () => {
  const error = refusal({ arch: 'riscv64', exists: () => false })
  assert.equal(error.code, 'NETLINK_NO_NATIVE')
  assert.match(error.message, /no native addon for linux-riscv64; .*node .*build-native\.mjs/)
  assert.match(error.hint ?? '', /^node \S*scripts\/build-native\.mjs$/)
})

test('so does a binary that does not load, with the cause', () => {
  const cause = new Error('invalid ELF header')
  const error = refusal({
    load: () => {
      throw cause
    },
  })
  assert.equal(error.code, 'NETLINK_NO_NATIVE')
  assert.equal(error.cause, cause)
  assert.match(error.message, /does not load; .*build-native\.mjs/)
})

test('and one of another version', () => {
  const error = refusal({ load: () => ({ version: 0 }) })
  assert.match(error.message, /of version 0, not 2; .*build-native\.mjs/)
})

test('a process that may load no addons is told how it may', () => {
  const error = refusal({
    load: () => {
      throw Object.assign(new Error('disabled'), { code: 'ERR_DLOPEN_DISABLED' })
    },
  })
  assert.equal(error.code, 'NETLINK_NO_NATIVE')
  assert.match(error.hint ?? '', /--no-addons/)
})
