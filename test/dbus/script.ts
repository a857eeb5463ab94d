/**
 * Scripts of what clients of a bus do, and the transcript of what each of them hears.
 *
 * After each step every client asks the bus something: what it hears before the answer is what the
 * step has caused. So a transcript depends on the bus alone, and two buses can be compared by it.
 */
import {
  type DecodedMessage,
  ERROR,
  encodeMessage,
  METHOD_CALL,
  METHOD_RETURN,
  type MessageInit,
  NO_REPLY_EXPECTED,
  Variant,
} from 'nlkit/dbus'
import type { Daemon } from './daemons.ts'
import { Talker } from './talker.ts'

export const BUS = 'org.freedesktop.DBus'

/** `$a` in a text stands for the unique name of the client `a`. */
export type Step =
  | { readonly who: string; readonly do: 'connect' }
  /** Says something else than Hello. */
  | { readonly who: string; readonly do: 'connect without Hello' }
  /** Speaks before BEGIN, and leaves. */
  | {
      readonly who: string
      readonly do: 'say'
      readonly lines: readonly string[]
      /** It begins without NUL. */
      readonly isBare?: boolean
    }
  /** Sends, and waits for the answer if it is a call. */
  | { readonly who: string; readonly do: 'call'; readonly message: Omit<MessageInit, 'serial'> }
  /** Sends, and does not wait. */
  | {
      readonly who: string
      readonly do: 'send'
      readonly message: Omit<MessageInit, 'serial'>
      /** Bytes that stand at these places instead of the encoded ones. */
      readonly spoil?: readonly (readonly [at: number, byte: number])[]
    }
  /** Answers the last call that it has heard. */
  | { readonly who: string; readonly do: 'answer'; readonly isError?: boolean }
  | { readonly who: string; readonly do: 'close' }

/** A call to the bus itself. */
export function driverCall(
  who: string,
  member: string,
  signature = '',
  body: readonly unknown[] = [],
  more: Partial<MessageInit> = {},
): Step {
  return { who, do: 'call', message: { ...toDriver(member, signature, body), ...more } }
}

function toDriver(
  member: string,
  signature = '',
  body: readonly unknown[] = [],
): Omit<MessageInit, 'serial'> {
  const path = '/org/freedesktop/DBus'
  return { type: METHOD_CALL, path, interface: BUS, member, destination: BUS, signature, body }
}

/** A value in a transcript. */
function show(value: unknown): string {
  if (value instanceof Variant) return `<${value.signature} ${show(value.value)}>`
  if (value instanceof Map)
    return `{${[...value].map(([key, of]) => `${show(key)}: ${show(of)}`).join(', ')}}`
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  return typeof value === 'bigint' ? `${value}` : JSON.stringify(value)
}

/** Answers whose order is nobody's promise. */
const UNORDERED = new Set(['ListNames', 'ListActivatableNames', 'GetAllMatchRules'])

function sorted(value: unknown): unknown {
  if (value instanceof Map) {
    const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1))
    return new Map(entries.map(([key, of]) => [key, sorted(of)]))
  }
  return Array.isArray(value) ? [...value].sort() : value
}

function line(message: DecodedMessage, called: string | undefined): string {
  const { type, sender, destination, errorName, path, interface: face, member, flags } = message
  let { body } = message
  if (called !== undefined && UNORDERED.has(called)) body = body.map(sorted)
  const values = body.map(show).join(' ')
  if (type === METHOD_RETURN) return `RETURN ${sender} -> ${destination} ${values}`.trimEnd()
  if (type === ERROR) return `ERROR ${sender} -> ${destination} ${errorName} ${values}`.trimEnd()
  const what = type === METHOD_CALL ? 'CALL' : 'SIGNAL'
  return `${what} ${sender} -> ${destination ?? '*'} ${path} ${face}.${member} flags=${flags} ${values}`.trimEnd()
}

/** What marks the bus's own question after a step. */
const PROBE = { path: '/probe', interface: `${BUS}.Peer`, member: 'Ping' } as const

class Client {
  readonly talker: Talker
  name: string | undefined
  isMonitor = false
  isGone = false
  lastCall: DecodedMessage | undefined
  /** Members of its calls, by serial. */
  readonly calls = new Map<number, string>()
  readonly probes = new Set<number>()

  constructor(talker: Talker) {
    this.talker = talker
  }
}

class Run {
  readonly #daemon: Daemon
  readonly #clients = new Map<string, Client>()
  /** Names, as they stand in a transcript. */
  readonly #names = new Map<string, string>()
  #lines: string[] = []
  #observer!: Client

  constructor(daemon: Daemon) {
    this.#daemon = daemon
  }

  async run(steps: readonly Step[]): Promise<string[]> {
    try {
      this.#observer = await this.#connect('(observer)')
      for (const step of steps) {
        this.#lines.push(`${step.who}: ${describe(step)}`)
        await this.#take(step)
        await this.#settle()
      }
      for (const [who, client] of [...this.#clients])
        if (client !== this.#observer) await this.#close(who, client)
    } finally {
      for (const { talker } of this.#clients.values()) talker.close()
    }
    return this.#lines
  }

  async #connect(who: string): Promise<Client> {
    const client = new Client(new Talker(this.#daemon.path))
    this.#clients.set(who, client)
    await client.talker.authenticate()
    await this.#hello(who, client)
    return client
  }

  async #hello(who: string, client: Client): Promise<void> {
    const serial = client.talker.send({
      type: METHOD_CALL,
      path: '/',
      interface: BUS,
      member: 'Hello',
      destination: BUS,
    })
    client.calls.set(serial, 'Hello')
    const answer = await client.talker.answer(serial)
    if (answer?.type !== METHOD_RETURN) return
    client.name = answer.body[0] as string
    this.#names.set(client.name, who)
  }

  #fill(text: string | undefined): string | undefined {
    return text?.replace(
      /\$(\w+)/g,
      (_, who: string) => this.#clients.get(who)?.name ?? ':1.999999',
    )
  }

  #filled(message: Omit<MessageInit, 'serial'>): Omit<MessageInit, 'serial'> {
    const body = message.body?.map((value) =>
      typeof value === 'string' ? this.#fill(value) : value,
    )
    return { ...message, destination: this.#fill(message.destination), body }
  }

  async #take(step: Step): Promise<void> {
    const { who } = step
    if (step.do === 'connect' && !this.#clients.has(who)) await this.#connect(who)
    if (step.do === 'connect') return
    if (step.do === 'say') {
      await this.#say(step.lines, step.isBare === true)
      return
    }
    if (step.do === 'connect without Hello') {
      if (this.#clients.has(who)) return
      const client = new Client(new Talker(this.#daemon.path))
      this.#clients.set(who, client)
      await client.talker.authenticate()
      return
    }
    const client = this.#clients.get(who)
    if (!client || client.isGone) return
    if (step.do === 'close') await this.#close(who, client)
    else if (step.do === 'answer') answer(client, step.isError === true)
    else if (step.do === 'call') await this.#call(client, step.message)
    else this.#send(client, step.message, step.spoil)
  }

  async #call(client: Client, message: Omit<MessageInit, 'serial'>): Promise<void> {
    const isHello = message.member === 'Hello' && message.destination === BUS
    if (isHello && client.name === undefined) {
      await this.#hello([...this.#clients].find(([, one]) => one === client)![0], client)
      return
    }
    const serial = client.talker.send(this.#filled(message))
    client.calls.set(serial, message.member ?? '')
    if (message.type !== METHOD_CALL || (message.flags ?? 0) & NO_REPLY_EXPECTED) return
    const reply = await client.talker.answer(serial)
    if (message.member === 'BecomeMonitor' && reply?.type === METHOD_RETURN) client.isMonitor = true
  }

  #send(
    client: Client,
    message: Omit<MessageInit, 'serial'>,
    spoil: readonly (readonly [number, number])[] = [],
  ): void {
    const { talker } = client
    const bytes = encodeMessage({ ...this.#filled(message), serial: ++talker.serial })
    client.calls.set(talker.serial, message.member ?? '')
    for (const [at, byte] of spoil) bytes[at % bytes.length] = byte
    talker.socket.write(bytes)
  }

  async #say(lines: readonly string[], isBare: boolean): Promise<void> {
    const talker = new Talker(this.#daemon.path)
    try {
      if (!isBare) talker.socket.write('\0')
      for (const one of lines)
        this.#lines.push(`  ${one} -> ${this.#normal(await talker.say(one))}`)
    } finally {
      talker.close()
    }
  }

  async #close(who: string, client: Client): Promise<void> {
    client.isGone = true
    client.talker.close()
    this.#clients.delete(who)
    if (client.name === undefined) return
    while (await this.#isKnown(client.name));
  }

  async #isKnown(name: string): Promise<boolean> {
    const { talker, probes } = this.#observer
    const serial = talker.send(toDriver('NameHasOwner', 's', [name]))
    probes.add(serial)
    return (await talker.answer(serial))?.body[0] === true
  }

  /** Everybody hears all that the step has caused; it becomes part of the transcript. */
  async #settle(): Promise<void> {
    // Twice: what the first round lets go is heard of in the second.
    for (let round = 0; round < 2; round++) {
      let last: string | undefined
      for (const [who, client] of this.#clients)
        if (!client.isMonitor && !client.isGone) last = (await this.#probe(client)) ? who : last
      for (const client of this.#clients.values())
        if (client.isMonitor && !client.isGone && last !== undefined)
          await this.#hearProbe(client, this.#clients.get(last)!)
    }
    for (const [who, client] of this.#clients) this.#write(who, client)
  }

  /** True if the bus answers. */
  async #probe(client: Client): Promise<boolean> {
    const { talker } = client
    const serial = talker.send({ type: METHOD_CALL, ...PROBE, destination: BUS })
    client.probes.add(serial)
    const reply = await talker.answer(serial)
    return reply !== undefined && client.name !== undefined
  }

  /** A monitor hears of the last question, so of all that was before. */
  async #hearProbe(monitor: Client, asker: Client): Promise<void> {
    const serial = asker.talker.serial
    await monitor.talker.until(
      () =>
        monitor.talker.heard.find(
          (one) => one.replySerial === serial && one.destination === asker.name,
        ),
      'what a monitor hears',
    )
  }

  #isProbe(client: Client, message: DecodedMessage): boolean {
    if (message.path === PROBE.path) return true
    const { replySerial, destination } = message
    if (replySerial === undefined) return false
    if (!client.isMonitor) return client.probes.has(replySerial)
    return this.#named(destination)?.probes.has(replySerial) === true
  }

  #named(name: string | undefined): Client | undefined {
    return [...this.#clients.values()].find((client) => client.name === name)
  }

  #write(who: string, client: Client): void {
    const { talker } = client
    for (const message of talker.heard.splice(0)) {
      if (this.#isProbe(client, message) || client === this.#observer) continue
      if (client.isMonitor && isOfObserver(message, this.#observer)) continue
      // When a stranger's question is heard of is not waited for.
      if (client.isMonitor && message.destination === ':not.active.yet') continue
      if (message.type === METHOD_CALL && !client.isMonitor) client.lastCall = message
      const caller = client.isMonitor ? this.#named(message.destination) : client
      const called = caller?.calls.get(message.replySerial ?? 0)
      this.#lines.push(`  ${who} < ${this.#normal(line(message, called))}`)
    }
    if (!talker.isOver || client.isGone) return
    client.isGone = true
    this.#clients.delete(who)
    this.#lines.push(`  ${who} is disconnected`)
  }

  /** What is different each time is replaced by a word for it. */
  #normal(text: string): string {
    return text
      .replace(/\b[\da-f]{32}\b/g, 'UUID')
      .replace(/"UnixGroupIDs": <au \[[^\]]*\]>/, '"UnixGroupIDs": GROUPS')
      .replace(/, "LinuxSecurityLabel": <ay 0x\w*>/, '')
      .replaceAll(String(this.#daemon.pid), 'PID-OF-BUS')
      .replaceAll(String(process.pid), 'PID-OF-CLIENT')
      .replaceAll(this.#daemon.folder, 'FOLDER')
      .replace(/:1\.\d+\b/g, (name) => this.#names.get(name) ?? name)
  }
}

function isOfObserver({ sender, destination }: DecodedMessage, { name }: Client): boolean {
  return sender === name || destination === name
}

function answer({ talker, lastCall }: Client, isError: boolean): void {
  if (!lastCall) return
  talker.send({
    type: isError ? ERROR : METHOD_RETURN,
    replySerial: lastCall.serial,
    destination: lastCall.sender,
    errorName: isError ? 'com.example.Error' : undefined,
    signature: 's',
    body: ['answer'],
  })
}

/** A step in one line. */
export function describe(step: Step): string {
  if (step.do === 'say') return `says ${step.isBare ? 'without NUL' : ''}`.trimEnd()
  if (step.do === 'answer') return step.isError ? 'answers with an error' : 'answers'
  if (step.do !== 'call' && step.do !== 'send') return step.do
  const { type, flags, destination, path, interface: face, member, signature, body } = step.message
  const values = (body ?? []).map(show).join(' ')
  const spoilt = step.do === 'send' && step.spoil ? ` spoilt ${JSON.stringify(step.spoil)}` : ''
  const reply = step.message.replySerial === undefined ? '' : ` reply=${step.message.replySerial}`
  const words = `${type} flags=${flags ?? 0} ${destination ?? '*'} ${path} ${face}.${member}`
  const text = `${step.do}s ${words} ${signature} ${values}`.trimEnd()
  return `${text.length > 300 ? `${text.slice(0, 300)}…` : text}${reply}${spoilt}`
}

/** What all clients hear, step by step. */
export async function transcript(daemon: Daemon, steps: readonly Step[]): Promise<string[]> {
  return new Run(daemon).run(steps)
}
