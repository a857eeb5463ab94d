/** Spoilt messages to a bus in this process: its parser, its driver, its rules, its names. */
import { deepEqual, equal } from 'node:assert/strict'
import { DecodeError } from 'nlkit'
import {
  BUS_NAME,
  BUS_PATH,
  Bus,
  DEFAULT_LIMITS,
  decodeMessage,
  dispatch,
  driver,
  encodeMessage,
  headerAt,
  METHOD_CALL,
  messageLength,
  type Outgoing,
  type Peer,
  ProtocolViolation,
  parseHeader,
} from 'nlkit/dbus'
import type { Random } from '../mutants.ts'
import { goodMessages, spoil } from './spoilt-messages.ts'

export interface BusCounts {
  executed: number
  /** Messages that the bus took, and that it hung up on. */
  taken: number
  refused: number
  /** No whole message: a bus would wait for the rest. */
  unframed: number
  /** What clients got because of them. */
  delivered: number
  /** Longest that one took, ms. */
  slowest: number
}

const CLIENTS = 8
/** One message may take this long, twice in a row, ms. */
const MOST_MS = 1000
/** All clients leave, and what is left is counted, behind so many messages. */
const ROUND = 5000
const GUID = '0123456789abcdef0123456789abcdef'
const LIMITS = {
  ...DEFAULT_LIMITS,
  maxMessageSize: 1 << 20,
  maxMatchRulesPerConnection: 64,
  maxNamesPerConnection: 16,
  maxRepliesPerConnection: 32,
}

const HELLO = encodeMessage({
  type: METHOD_CALL,
  serial: 1,
  path: BUS_PATH,
  interface: BUS_NAME,
  destination: BUS_NAME,
  member: 'Hello',
})

function newBus(): Bus {
  return new Bus({
    guid: GUID,
    driver,
    limits: LIMITS,
    credentials: { uid: 0, pid: 1, gids: undefined, label: undefined },
    machineId: () => GUID,
    timer: () => () => undefined,
  })
}

/** Whatever goes out has to be a whole message, and from who the bus says; a name that has it. */
function judge(bus: Bus, { head, body }: Outgoing): void {
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  equal(messageLength(bytes, 0, bytes.length, 1 << 21), bytes.length)
  const { sender = BUS_NAME } = decodeMessage(bytes)
  if (sender !== BUS_NAME) equal(bus.peers.has(sender), true, `from ${sender}`)
}

class Fuzz {
  readonly counts: BusCounts = {
    executed: 0,
    taken: 0,
    refused: 0,
    unframed: 0,
    delivered: 0,
    slowest: 0,
  }
  readonly #bus = newBus()
  readonly #random: Random
  #peers: Peer[] = []

  constructor(random: Random) {
    this.#random = random
    this.#enter()
  }

  #newPeer(): Peer {
    const door = {
      isStill: true,
      deliver: (outgoing: Outgoing) => {
        this.counts.delivered++
        if (this.counts.delivered % 8 === 0 && !peer.monitor) judge(this.#bus, outgoing)
        return this.#random() % 4096 !== 0
      },
      disconnect: () => undefined,
    }
    const credentials = { uid: 0, pid: 2, gids: [0], label: undefined }
    const peer = this.#bus.connect(door, credentials, true)
    if (this.#random() % 32 !== 0) dispatch(this.#bus, peer, HELLO.slice())
    return peer
  }

  #enter(): void {
    this.#peers = Array.from({ length: CLIENTS }, () => this.#newPeer())
  }

  /** Everybody leaves: nothing may be left of them. */
  leave(): void {
    const bus = this.#bus
    for (const peer of this.#peers) bus.disconnect(peer)
    deepEqual(
      {
        peers: bus.peers.size,
        strangers: bus.strangers.size,
        names: bus.names.size,
        rules: bus.matchRules,
        monitors: bus.delivery.monitors.size,
        eavesdroppers: bus.delivery.rules.hasEavesdroppers,
        tokens: bus.tokens.size,
        slots: this.#peers.reduce((sum, { awaited, owed }) => sum + awaited.size + owed.size, 0),
      },
      {
        peers: 0,
        strangers: 0,
        names: 0,
        rules: 0,
        monitors: 0,
        eavesdroppers: false,
        tokens: 0,
        slots: 0,
      },
    )
    this.#enter()
  }

  /** Sends `bytes` as one of the clients; whoever is hung up on comes back as another. */
  send(bytes: Uint8Array): void {
    const at = this.#random() % CLIENTS
    const peer = this.#peers[at]!
    const { counts } = this
    counts.executed++
    try {
      if (peer.alive) this.#take(peer, bytes)
    } catch (error) {
      if (!(error instanceof DecodeError) && !(error instanceof ProtocolViolation)) throw error
      counts.refused++
      this.#bus.disconnect(peer)
    }
    if (!peer.alive) this.#peers[at] = this.#newPeer()
  }

  #take(peer: Peer, bytes: Uint8Array): void {
    const { counts } = this
    const length = messageLength(bytes, 0, bytes.length, LIMITS.maxMessageSize)
    if (length === 0 || length > bytes.length) {
      counts.unframed++
      return
    }
    const message = bytes.slice(0, length)
    if (counts.executed % 4 === 0) compareReaders(message)
    dispatch(this.#bus, peer, message)
    counts.taken++
  }
}

/** The quick reader of headers and the thorough one agree. */
function compareReaders(message: Uint8Array): void {
  const read = (reader: () => unknown): unknown => {
    try {
      return reader()
    } catch (error) {
      if (error instanceof DecodeError) return error.message
      throw error
    }
  }
  deepEqual(
    read(() => headerAt(message, 0, message.length)),
    read(() => parseHeader(message)),
  )
}

/**
 * Runs until `count` messages are through or the clock says `until`; `tell` hears of every 5,000.
 * @throws whatever a bus must not throw, with the message that did it.
 */
export function fuzzBus(
  random: Random,
  count: number,
  until: number,
  tell: (counts: BusCounts) => void,
): BusCounts {
  const samples = goodMessages()
  const fuzz = new Fuzz(random)
  const { counts } = fuzz
  const timed = (bytes: Uint8Array): number => {
    const start = performance.now()
    fuzz.send(bytes)
    return performance.now() - start
  }
  while (counts.executed < count) {
    const sample = samples[random() % samples.length]!
    const bytes = random() % 8 === 0 ? sample.slice() : spoil(sample, random)
    try {
      const took = timed(bytes)
      if (took > MOST_MS && timed(bytes) > MOST_MS) throw new Error(`it takes ${took} ms`)
      counts.slowest = Math.max(counts.slowest, took)
    } catch (error) {
      const hex = Buffer.from(bytes).toString('hex')
      throw new Error(`message ${counts.executed}: ${hex}`, { cause: error })
    }
    if (counts.executed % ROUND > 0) continue
    fuzz.leave()
    tell(counts)
    if (Date.now() > until) break
  }
  fuzz.leave()
  return counts
}
