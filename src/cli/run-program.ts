/** The program that `nlkit run` is to run: where it is, and whether the shim can stand before it. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { NetlinkError } from '../index.ts'
import { NotRun } from './exit.ts'

/** Scripts that name scripts, at most. */
const INTERPRETERS = 4
/** Bytes that Linux reads of a script's first line. */
const FIRST_LINE = 256
const SETUID = 0o4000
const SETGID = 0o2000

/** Offsets and numbers of elf.h. */
const EI_CLASS = 4
const ELFCLASS64 = 2
const E_MACHINE = 18
const E_PHOFF = 32
const E_PHENTSIZE = 54
const E_PHNUM = 56
const PT_INTERP = 3
const PT_DYNAMIC = 2
const PT_NOTE = 4
/** Where a program header has its place and size, and its own size. */
const P_OFFSET = 8
const P_FILESZ = 32
const P_HEADER = 56
/** Bytes of notes that are looked at. */
const NOTE_BYTES = 4096
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Where the shell would find `command`. @throws NotRun */
export function findProgram(command: string, path = '/usr/local/bin:/usr/bin:/bin'): string {
  if (command.includes('/')) {
    if (isRunnable(command)) return command
    const stats = statSync(command, { throwIfNoEntry: false })
    if (!stats) throw new NotRun(127, `there is no ${command}`)
    if (stats.isDirectory()) throw new NotRun(126, `${command} is a directory`)
    throw new NotRun(126, `${command} may not be executed`)
  }
  for (const folder of path.split(delimiter)) {
    const file = join(folder || '.', command)
    if (isRunnable(file)) return file
  }
  throw new NotRun(127, `${command} is not found`)
}

function readStart(path: string, size: number, from = 0): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, readSync(fd, bytes, 0, size, from))
  } finally {
    closeSync(fd)
  }
}

/**
 * Sees that the dynamic loader will let the shim stand before the program at `path`, and before the
 * interpreter if it is a script.
 * @throws NotRun when it is static, setuid, setgid, or of another machine.
 */
export function checkProgram(path: string, depth = 0): void {
  const { mode, uid, gid } = statSync(path)
  const changesUser = (mode & SETUID) !== 0 && uid !== process.geteuid?.()
  const changesGroup = (mode & SETGID) !== 0 && gid !== process.getegid?.()
  if (changesUser || changesGroup)
    throw new NotRun(
      126,
      `${path} is set${changesUser ? 'u' : 'g'}id: the system keeps the shim out of it, and it would reach this machine's own kernel`,
      'a copy without that bit, or run nlkit as the user that it becomes',
    )
  let start: Buffer
  try {
    start = readStart(path, FIRST_LINE)
  } catch {
    return
  }
  if (start.subarray(0, 4).toString('latin1') === '\x7fELF') checkElf(path, start)
  else if (start.subarray(0, 2).toString('latin1') === '#!' && depth < INTERPRETERS) {
    const [interpreter] = start.subarray(2).toString('latin1').split('\n', 1)[0]!.trim().split(/\s/)
    if (interpreter && isRunnable(interpreter)) checkProgram(interpreter, depth + 1)
  }
}

/** Go's linker leaves notes under its own name. */
function isGoNote(path: string, header: Buffer): boolean {
  const size = Math.min(NOTE_BYTES, Number(header.readBigUInt64LE(P_FILESZ)))
  const notes = readStart(path, size, Number(header.readBigUInt64LE(P_OFFSET)))
  for (let at = 0; at + 16 <= notes.length; ) {
    const nameSize = notes.readUInt32LE(at)
    const bodySize = notes.readUInt32LE(at + 4)
    if (nameSize === 4 && notes.toString('latin1', at + 12, at + 16) === 'Go\0\0') return true
    at += 12 + ((nameSize + 3) & ~3) + ((bodySize + 3) & ~3)
    if (nameSize > NOTE_BYTES || bodySize > NOTE_BYTES) return false
  }
  return false
}

function checkElf(path: string, start: Buffer): void {
  if (start[EI_CLASS] !== ELFCLASS64 || start.readUInt16LE(E_MACHINE) !== MACHINES[process.arch])
    throw new NotRun(
      126,
      `${path} is built for another kind of machine than the shim (${process.arch})`,
      'a program of this architecture',
    )
  const size = start.readUInt16LE(E_PHENTSIZE)
  const count = start.readUInt16LE(E_PHNUM)
  const headers = readStart(path, size * count, Number(start.readBigUInt64LE(E_PHOFF)))
  let isDynamic = false
  let isInterpreted = false
  for (let at = 0; at + size <= headers.length && size >= P_HEADER; at += size) {
    const type = headers.readUInt32LE(at)
    isInterpreted ||= type === PT_INTERP
    isDynamic ||= type === PT_DYNAMIC
    if (type === PT_NOTE && isGoNote(path, headers.subarray(at, at + size)))
      throw new NotRun(
        126,
        `${path} is a Go program, which makes its system calls itself: it would reach this machine's own kernel`,
      )
  }
  if (isInterpreted) return
  // The dynamic loader itself has no interpreter, and loads the shim all the same.
  if (isDynamic && /\/ld[-.\w]*\.so(\.\d+)?$/.test(path)) return
  throw new NotRun(
    126,
    `${path} is linked statically: nothing can stand before its system calls, and it would reach this machine's own kernel`,
    'its dynamically linked build',
  )
}

/** Where the shim is. @throws NetlinkError NETLINK_NO_NATIVE */
export function findShim(folder: URL): URL {
  const shim = new URL(`linux-${process.arch}.so`, folder)
  if (process.platform === 'linux' && statSync(shim, { throwIfNoEntry: false })) return shim
  throw new NetlinkError('NETLINK_NO_NATIVE', {
    message:
      process.platform === 'linux'
        ? `the preload shim is not built (no ${shim.pathname})`
        : `programs run on an nlkit kernel on Linux alone`,
    hint: 'node scripts/build-native.mjs, which wants a C compiler',
  })
}
