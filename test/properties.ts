/**
 * What must hold of every message of every family, for values and for bytes made at random from a
 * seed. The digest is that of everything that came out: both forms of the codecs must agree on it.
 */
import assert from 'node:assert/strict'
import { createHash, type Hash } from 'node:crypto'
import fc from 'fast-check'
import { isNetlinkError } from 'nlkit'
import {
  type AnyMessage,
  describeMessage,
  NL_VALIDATE_DEPRECATED_STRICT,
  NL_VALIDATE_LIBERAL,
  NL_VALIDATE_STRICT,
  renderTree,
  type Scan,
} from 'nlkit/schema'
import { viewOf, Writer } from 'nlkit/wire'
import { messageValues } from './arbitrary.ts'
import { mutants } from './mutants.ts'
import { allMessages, type NamedMessage } from './reach.ts'

const LEVELS = [NL_VALIDATE_LIBERAL, NL_VALIDATE_DEPRECATED_STRICT, NL_VALIDATE_STRICT]

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`
    return inner instanceof Uint8Array ? Buffer.from(inner).toString('hex') : inner
  }) ?? 'undefined'

function encode(message: AnyMessage, value: unknown): Uint8Array<ArrayBuffer> {
  const w = new Writer()
  message.encode(w, value)
  return w.finish()
}

const decode = (message: AnyMessage, bytes: Uint8Array): unknown => message.decode(viewOf(bytes))

/** What `run` gives, or the name and text of the one error that it may throw. */
function outcome<T>(run: () => T, allowed: string): { value?: T; error?: string } {
  try {
    return { value: run() }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== allowed) throw error
    return { error: `${error.name} ${error.message}` }
  }
}

/** Bytes of a message that were changed: a value or a DecodeError, and what follows from it. */
function checkBytes(message: AnyMessage, bytes: Uint8Array, hash: Hash): void {
  const read = outcome(() => decode(message, bytes), 'DecodeError')
  hash.update(read.error ?? plain(read.value))
  if (read.error === undefined) {
    const written = outcome(() => encode(message, read.value), 'EncodeError')
    hash.update(written.error ?? written.value ?? '')
    // what came twice is written once, so that the first writing may differ from what was read
    if (written.value) {
      const again = encode(message, decode(message, written.value))
      assert.deepEqual(again, written.value, Buffer.from(bytes).toString('hex'))
    }
  }
  const view = viewOf(bytes)
  for (const level of LEVELS) {
    try {
      message.validate(view, 0, bytes.length, level)
    } catch (error) {
      if (!isNetlinkError(error)) throw error
      assert.match(error.code, /^(EINVAL|ERANGE)$/)
      hash.update(`${error.code} ${plain(error.extack)}`)
    }
  }
  for (let offset = 0; offset < bytes.length; offset += 3) {
    const path = message.pathAt(view, 0, bytes.length, offset)
    if (path === undefined) continue
    const at = message.offsetOf(view, 0, bytes.length, path)
    assert.ok(at === undefined || (at >= 0 && at < bytes.length), path)
  }
  assert.ok(renderTree(describeMessage(message, view, 0, bytes.length)).length >= 0)
}

/** Bytes as the only message of a datagram, read in part and looked at: both must be the whole. */
function checkParts(message: AnyMessage, bytes: Uint8Array, isSound: boolean): void {
  const w = new Writer()
  const mark = w.messageStart(40, 0, 7, 0)
  w.put(bytes)
  w.messageEnd(mark)
  const view = viewOf(w.finish())
  const size = 16 + bytes.length
  const seen: unknown[] = []
  const read = outcome(() => decode(message, bytes), 'DecodeError')
  const check = (look: (scan: Scan) => void): void => {
    const scan = { type: 40, seq: 7, cmd: -1, skip: 16, at: 0 }
    const { error } = outcome(() => look(scan), 'DecodeError')
    if (error !== undefined) assert.ok(read.error, error)
    else if (isSound) assert.deepEqual([scan.at, seen.pop()], [size, read.value])
  }
  const deferred = message.deferred()
  const visitor = message.visitor()
  if (!deferred || !visitor) return
  check((scan) => {
    const items: { toJSON(): unknown }[] = []
    deferred(view, size, scan, items)
    seen.push(items[0]?.toJSON())
  })
  check((scan) => visitor(view, size, scan, (item: object) => seen.push(members(item, message))))
}

/** What each member of an item answers, one by one. */
function members(item: object, { header, attrs }: AnyMessage): object {
  const names = [...(attrs?.selection.names ?? []), 'unknown']
  for (const { name } of header?.shape.fields ?? []) names.push(name)
  const entries = names.map((name) => [name, (item as Record<string, unknown>)[name]])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** A value, its bytes, and changed bytes. */
function checkMessage({ name, message }: NamedMessage, seed: number, runs: number): string {
  const hash = createHash('sha256')
  fc.assert(
    fc.property(messageValues(message), fc.infiniteStream(fc.nat()), (value, random) => {
      const bytes = encode(message, value)
      hash.update(bytes)
      assert.deepEqual(decode(message, bytes), value)
      assert.deepEqual(encode(message, decode(message, bytes)), bytes)
      checkParts(message, bytes, true)
      message.validate(viewOf(bytes), 0, bytes.length, NL_VALIDATE_LIBERAL)
      for (const mutant of mutants(bytes, () => random.next().value as number, 6)) {
        checkBytes(message, mutant, hash)
        checkParts(message, mutant, false)
      }
    }),
    { seed, numRuns: runs },
  )
  return `${name} ${hash.digest('hex').slice(0, 16)}`
}

/** Checks messages, all unless told; one line each, with the digest of all that came out. */
export function checkAll(
  seed: number,
  runs: number,
  messages: readonly NamedMessage[] = allMessages(),
): string[] {
  return messages.map((named) => checkMessage(named, seed, runs))
}
