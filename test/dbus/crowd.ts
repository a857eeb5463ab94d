/**
 * Clients of a bus in a process of their own, which can be killed: each has a name and rules, and
 * waits for an answer that does not come. `node crowd.js PATH FIRST COUNT`, with an IPC channel, says
 * 'ready', and then of each answer that came after all which error it is.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BUS_NAME, BUS_PATH, METHOD_CALL } from 'nlkit/dbus'
import { Talker } from './talker.ts'

/** Who is asked, and does not answer. */
export const KEEPER = 'com.example.Keeper'
/** Match rules of each. */
const RULES = 3
const READY_MS = 90_000

export const nameOf = (number: number): string => `com.example.Crowd${number}`

const CALL = { type: METHOD_CALL, path: BUS_PATH, interface: BUS_NAME, destination: BUS_NAME }

/** A client that has said Hello; its unique name. */
export async function enter(talker: Talker): Promise<string> {
  await talker.authenticate()
  const answer = await talker.answer(talker.send({ ...CALL, member: 'Hello' }))
  const [name] = answer?.body ?? []
  if (typeof name !== 'string') throw new Error(`Hello is answered ${answer?.errorName}`)
  return name
}

/** Calls a method of the bus; what is answered. */
export async function askBus(
  talker: Talker,
  member: string,
  signature = '',
  ...body: readonly unknown[]
): Promise<unknown> {
  const answer = await talker.answer(talker.send({ ...CALL, member, signature, body }))
  return answer?.errorName ?? answer?.body[0]
}

async function join(path: string, number: number): Promise<void> {
  const talker = new Talker(path)
  await enter(talker)
  await askBus(talker, 'RequestName', 'su', nameOf(number), 0)
  for (let rule = 0; rule < RULES; rule++)
    await askBus(
      talker,
      'AddMatch',
      's',
      `type='signal',interface='com.example.I${number}_${rule}'`,
    )
  const call = { type: METHOD_CALL, path: '/p', destination: KEEPER, member: 'Wait' }
  const serial = talker.send(call)
  // The bus has seen that call when it answers this one.
  await askBus(talker, 'GetId')
  talker
    .until(
      () => talker.heard.find(({ replySerial }) => replySerial === serial),
      'an answer',
      2 ** 30,
    )
    .then((answer) => process.send?.(answer?.errorName ?? 'closed'))
    .catch((error: unknown) => process.send?.(String(error)))
}

export interface Crowd {
  readonly child: ChildProcess
  /** Errors that came for the calls, so far. */
  readonly errors: string[]
  /** Ends it, at once; harmless when it has ended. */
  kill(): Promise<void>
}

/** `count` clients, the first of which has the number `first`. */
export async function startCrowd(path: string, first: number, count: number): Promise<Crowd> {
  const child = fork(fileURLToPath(import.meta.url), [path, String(first), String(count)], {
    execArgv: [],
  })
  const errors: string[] = []
  const ended = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  const isReady = await new Promise<boolean>((resolve) => {
    child.on('message', (said: string) => (said === 'ready' ? resolve(true) : errors.push(said)))
    child.on('exit', () => resolve(false))
  })
  clearTimeout(late)
  if (!isReady) throw new Error(`a crowd of ${count} clients has ended: ${errors.join(', ')}`)
  return { child, errors, kill }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path, first, count] = process.argv.slice(2) as [string, string, string]
  const numbers = Array.from({ length: Number(count) }, (_, i) => Number(first) + i)
  process.on('disconnect', () => process.exit(0))
  await Promise.all(numbers.map((number) => join(path, number)))
  process.send?.('ready')
}
