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

/** A value, its bytes, and changed bytes. */
function checkMessage({ name, message }: NamedMessage, seed: number, runs: number): string {
  const hash = createHash('sha256')
  fc.assert(
    fc.property(messageValues(message), fc.infiniteStream(fc.nat()), (value, random) => {
      const bytes = encode(message, value)
      hash.update(bytes)
      assert.deepEqual(decode(message, bytes), value)
      assert.deepEqual(encode(message, decode(message, bytes)), bytes)
      message.validate(viewOf(bytes), 0, bytes.length, NL_VALIDATE_LIBERAL)
      for (const mutant of mutants(bytes, () => random.next().value as number, 6)) {
        checkBytes(message, mutant, hash)
      }
    }),
    { seed, numRuns: runs },
  )
  return `${name} ${hash.digest('hex').slice(0, 16)}`
}

/** Checks all messages; one line each, with the digest of all that came out. */
export function checkAll(seed: number, runs: number): string[] {
  return allMessages().map((named) => checkMessage(named, seed, runs))
}
