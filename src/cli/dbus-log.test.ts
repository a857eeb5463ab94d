/** The system's log, as its logger hears it. */
import { equal, match } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadAddon } from '../transport/addon.ts'
import { AF_UNIX, unixAddress } from '../transport/unix-address.ts'
import { systemLog } from './dbus-log.ts'

const SOCK_DGRAM = 2

test('lines come as dbus-daemon sends them; where nobody listens there is no log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-log-'))
  const native = loadAddon()
  const fd = native.socket(AF_UNIX, SOCK_DGRAM, 0)
  try {
    const path = join(folder, 'log')
    equal(systemLog(path), undefined)
    equal(native.bind(fd, unixAddress(path)), 0)
    systemLog(path)!('a client was not let in')
    const bytes = new Uint8Array(200)
    const line = new TextDecoder().decode(bytes.subarray(0, native.receive(fd, bytes)))
    const expected = `^<29>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d dbus-daemon\\[${process.pid}\\]: a client was not let in$`
    match(line, new RegExp(expected))
  } finally {
    native.close(fd)
    rmSync(folder, { recursive: true })
  }
})
