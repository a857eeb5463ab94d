/** What a bus holds: connections, names and rules as it says itself, descriptors as the system says. */
import { readdirSync } from 'node:fs'
import { BUS_NAME, BUS_PATH, type DecodedMessage, METHOD_CALL } from 'nlkit/dbus'
import type { Daemon } from './daemons.ts'
import { Talker } from './talker.ts'

const STATS = ['ActiveConnections', 'IncompleteConnections', 'MatchRules', 'BusNames'] as const

/** What a bus has, as it says itself and as the system says. */
interface Holdings {
  readonly stats: Readonly<Record<string, unknown>>
  readonly descriptors: number
}

/** Asks until nothing changes any more: what has been sent is worked off by then. */
export async function holdings(daemon: Daemon): Promise<Holdings> {
  const asker = new Talker(daemon.path)
  try {
    await asker.authenticate()
    const ask = async (iface: string, member: string): Promise<DecodedMessage> => {
      const call = { type: METHOD_CALL, path: BUS_PATH, interface: iface, destination: BUS_NAME }
      const answer = await asker.answer(asker.send({ ...call, member }))
      if (answer === undefined) throw new Error(`${member} is not answered`)
      return answer
    }
    await ask(BUS_NAME, 'Hello')
    const { body } = await ask(`${BUS_NAME}.Debug.Stats`, 'GetStats')
    const stats = body[0] as ReadonlyMap<string, { value: unknown }>
    return {
      stats: Object.fromEntries(STATS.map((key) => [key, stats.get(key)?.value])),
      descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length,
    }
  } finally {
    asker.close()
  }
}

/** As holdings(), once they are `expected`, or after a while as they then are. */
export async function settled(daemon: Daemon, expected: Holdings): Promise<Holdings> {
  for (let tries = 200; ; tries--) {
    const found = await holdings(daemon)
    if (tries === 0 || JSON.stringify(found) === JSON.stringify(expected)) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
