/** One fuzzing run in this process: spoilt datagrams through the walker and every family's decoders. */
import fc from 'fast-check'
import { DecodeError, isNetlinkError } from 'nlkit'
import { doneMessage, errorMessage, nlmsgerrAttrs } from 'nlkit/families/nlmsgerr'
import {
  type AnyMessage,
  describeMessage,
  NL_VALIDATE_LIBERAL,
  NL_VALIDATE_STRICT,
  renderTree,
} from 'nlkit/schema'
import {
  align4,
  HOST_LE,
  MessageWalker,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  viewOf,
  Writer,
} from 'nlkit/wire'
import { messageValues } from './arbitrary.ts'
import { readGolden } from './golden.ts'
import { mutate, type Random } from './mutants.ts'
import { allMessages, families } from './reach.ts'

/** A good datagram, and how its messages read. */
interface Sample {
  readonly bytes: Uint8Array
  readonly body: AnyMessage
  /** Bytes between nlmsghdr and the body: genlmsghdr or none. */
  readonly skip: number
}

export interface Counts {
  executed: number
  /** Messages that decoded, and that did not. */
  valid: number
  decodeErrors: number
  /** Datagrams in which no message was found. */
  unframed: number
  /** Longest time that one datagram took, ms. */
  slowest: number
}

/** One datagram may take this long, twice in a row, ms: once the machine may have been busy. */
const MOST_MS = 1000
const GENL_HDRLEN = 4

/** Numbers from a seed (xorshift32). */
export function randomFrom(seed: number): Random {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function frame(type: number, skip: number, body: AnyMessage, value: unknown): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(type, 0, 1, 1)
  w.reserve(skip)
  body.encode(w, value)
  w.messageEnd(mark)
  return w.finish()
}

/** Made values of every message. */
function madeSamples(seed: number): Sample[] {
  const ids = new Map(
    families.flatMap((family) => Object.values(family.ops)).map((op) => [op, op.cmd]),
  )
  return allMessages().flatMap(({ name, message }) => {
    const family = families.find(
      (one) => name.startsWith(`${one.name}.`) || name.startsWith(`${one.name} `),
    )
    const op = family && Object.entries(family.ops).find(([key]) => name.includes(`.${key} `))?.[1]
    const skip = family?.kind === 'genl' ? GENL_HDRLEN : 0
    const type = (op && ids.get(op)) ?? 16
    return fc
      .sample(messageValues(message), { seed, numRuns: 25 })
      .map((value) => ({ bytes: frame(type, skip, message, value), body: message, skip }))
  })
}

/** What a kernel really sent. */
function goldenSamples(): Sample[] {
  const bodies = new Map<number, AnyMessage>()
  for (const family of families) {
    if (family.kind !== 'raw') continue
    for (const { cmd, body } of Object.values(family.notifications ?? {})) bodies.set(cmd, body)
  }
  const names = ['links', 'addresses', 'routes', 'neighbours', 'rules', 'notifications', 'errors']
  return names
    .flatMap((name) => readGolden(name).flatMap(({ messages }) => messages))
    .map((bytes) => ({
      bytes,
      body: bodies.get(viewOf(bytes).getUint16(4, HOST_LE)) ?? errorMessage,
      skip: 0,
    }))
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  const out = new Uint8Array(align4(one.length) + other.length)
  out.set(one)
  out.set(other, align4(one.length))
  return out
}

/** The extack of an acknowledgement that repeats the request. */
function decodeExtack(view: DataView, at: number, end: number): void {
  if (end - at < 8) return
  const from = at + 4 + align4(view.getUint32(at + 4, HOST_LE))
  if (from < end) nlmsgerrAttrs.get(view, from, end)
}

function decodeOne(walker: MessageWalker, { body, skip }: Sample, extra: number): void {
  const { view, type, payload, end } = walker
  if (type === NLMSG_DONE) doneMessage.decode(view, payload, end)
  if (type === NLMSG_ERROR) decodeExtack(view, payload, end)
  const at = Math.min(end, payload + skip)
  if (extra % 64 === 0) renderTree(describeMessage(body, view, at, end))
  if (extra % 16 === 1) validate(body, view, at, end)
  const value: unknown = body.decode(view, at, end)
  if (extra % 16 === 2) encodeAgain(body, value)
}

function validate(body: AnyMessage, view: DataView, at: number, end: number): void {
  for (const level of [NL_VALIDATE_LIBERAL, NL_VALIDATE_STRICT]) {
    try {
      body.validate(view, at, end, level)
    } catch (error) {
      if (!isNetlinkError(error)) throw error
    }
  }
}

function encodeAgain(body: AnyMessage, value: unknown): void {
  try {
    body.encode(new Writer(), value)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'EncodeError') throw error
  }
}

function runOne(bytes: Uint8Array, sample: Sample, extra: number, counts: Counts): void {
  const walker = new MessageWalker(viewOf(bytes))
  let found = false
  while (walker.next()) {
    found = true
    try {
      decodeOne(walker, sample, extra)
      counts.valid++
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      counts.decodeErrors++
    }
  }
  if (!found) counts.unframed++
}

/** Makes the first header good again, so that what is spoilt lies behind it. */
function reframe(bytes: Uint8Array, good: Uint8Array): void {
  if (bytes.length < NLMSG_HDRLEN) return
  bytes.set(good.subarray(0, NLMSG_HDRLEN))
  viewOf(bytes).setUint32(0, bytes.length, HOST_LE)
}

/** How long one datagram takes, ms. @throws with the datagram when it does what it must not. */
function timed(bytes: Uint8Array, sample: Sample, extra: number, counts: Counts): number {
  const start = performance.now()
  try {
    runOne(bytes, sample, extra, counts)
  } catch (error) {
    throw new Error(`datagram ${counts.executed}: ${Buffer.from(bytes).toString('hex')}`, {
      cause: error,
    })
  }
  return performance.now() - start
}

/**
 * Runs until `count` datagrams are through or the clock says `until`; `tell` hears of every 5,000.
 * @throws whatever is not a DecodeError, with the datagram that did it.
 */
export function fuzz(
  seed: number,
  count: number,
  until: number,
  tell: (counts: Counts) => void,
): Counts {
  const samples = [...goldenSamples(), ...madeSamples(seed)]
  const random = randomFrom(seed)
  const counts: Counts = { executed: 0, valid: 0, decodeErrors: 0, unframed: 0, slowest: 0 }
  while (counts.executed < count) {
    const sample = samples[random() % samples.length] as Sample
    const other = samples[random() % samples.length] as Sample
    const whole = random() % 16 === 0 ? join(sample.bytes, other.bytes) : sample.bytes
    const bytes = mutate(whole, random)
    if (random() % 8 !== 0) reframe(bytes, sample.bytes)
    const extra = random()
    let took = timed(bytes, sample, extra, counts)
    if (took > MOST_MS) took = timed(bytes, sample, extra, { ...counts })
    if (took > MOST_MS) throw new Error(`${took} ms: ${Buffer.from(bytes).toString('hex')}`)
    if (took > counts.slowest) counts.slowest = took
    counts.executed++
    if (counts.executed % 5000 === 0) {
      tell(counts)
      if (Date.now() > until) break
    }
  }
  return counts
}
