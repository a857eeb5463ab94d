/**
 * Spoilt lines and messages to a bus that is a process of its own, through its socket: whatever they
 * do, the bus lives, serves others, and keeps nothing of who sent them.
 */
import { deepEqual } from 'node:assert/strict'
import { BUS_NAME, BUS_PATH, METHOD_CALL } from 'nlkit/dbus'
import type { Random } from '../mutants.ts'
import { type Daemon, startDaemon } from './daemons.ts'
import { holdings, settled } from './holdings.ts'
import { goodMessages, spoil } from './spoilt-messages.ts'
import { Talker } from './talker.ts'

export interface GatewayCounts {
  /** Connections, each one client's. */
  sessions: number
  executed: number
}

const AT_ONCE = 8
const MOST_MESSAGES = 32
const LINES = [
  'AUTH',
  'AUTH EXTERNAL',
  'AUTH EXTERNAL 30',
  'AUTH ANONYMOUS 6e',
  'AUTH DBUS_COOKIE_SHA1 30',
  'DATA',
  'DATA 00',
  'CANCEL',
  'ERROR no',
  'NEGOTIATE_UNIX_FD',
  'BEGIN',
  'OK 0',
]
/** Writes `bytes` in pieces of any size. */
function writeInPieces({ socket }: Talker, bytes: Uint8Array, random: Random): void {
  for (let at = 0; at < bytes.length; ) {
    const size = random() % 4 === 0 ? 1 + (random() % 40) : bytes.length
    socket.write(bytes.subarray(at, at + size))
    at += size
  }
}

function spoiltLines(random: Random): Uint8Array {
  const lines = Array.from(
    { length: 1 + (random() % 8) },
    () => `${LINES[random() % LINES.length]}${random() % 8 === 0 ? '\n' : '\r\n'}`,
  )
  return Buffer.from(`${random() % 16 === 0 ? '' : '\0'}${lines.join('')}`, 'latin1')
}

class Sessions {
  readonly counts: GatewayCounts = { sessions: 0, executed: 0 }
  readonly #daemon: Daemon
  readonly #random: Random
  readonly #samples = goodMessages()

  constructor(daemon: Daemon, random: Random) {
    this.#daemon = daemon
    this.#random = random
  }

  /** One client's life. */
  async run(): Promise<void> {
    const random = this.#random
    const talker = new Talker(this.#daemon.path)
    this.counts.sessions++
    try {
      if (random() % 16 === 0) writeInPieces(talker, spoiltLines(random), random)
      else await this.#talk(talker)
    } finally {
      talker.close()
    }
  }

  async #talk(talker: Talker): Promise<void> {
    const random = this.#random
    const count = 1 + (random() % MOST_MESSAGES)
    await talker.authenticate()
    const hello = { type: METHOD_CALL, path: BUS_PATH, interface: BUS_NAME, destination: BUS_NAME }
    if (random() % 16 !== 0) await talker.answer(talker.send({ ...hello, member: 'Hello' }))
    const parts = Array.from({ length: count }, () => {
      const sample = this.#samples[random() % this.#samples.length]!
      return random() % 4 === 0 ? spoil(sample, random) : sample
    })
    this.counts.executed += count
    writeInPieces(talker, Buffer.concat(parts), random)
    // Who has sent half a message is not answered; who sends more is, or hears that it is over.
    talker.socket.end()
    await talker.until(() => undefined, 'the end of the connection')
  }
}

/**
 * Sends `count` messages to a bus of nlkit's, and judges what is left of it.
 * @throws when the bus ends, hangs, or keeps something.
 */
export async function fuzzGateway(
  random: Random,
  count: number,
  until: number,
  tell: (counts: GatewayCounts) => void,
): Promise<GatewayCounts> {
  const daemon = await startDaemon('nlkit')
  try {
    const before = await holdings(daemon)
    const sessions = new Sessions(daemon, random)
    const { counts } = sessions
    const turn = async (): Promise<void> => {
      while (counts.executed < count && Date.now() < until) {
        await sessions.run()
        if (counts.sessions % 100 === 0) tell(counts)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, turn))
    deepEqual(await settled(daemon, before), before)
    return counts
  } finally {
    await daemon.stop()
  }
}
