/** A bus without sockets, and clients that keep what they are sent. */
import { driver } from '../driver/driver.ts'
import {
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  type MessageInit,
} from '../message/index.ts'
import { Bus, type BusOptions } from './bus.ts'
import { BUS_NAME, BUS_PATH } from './bus-name.ts'
import { dispatch } from './dispatch.ts'
import type { Peer } from './peer.ts'

const GUID = '0123456789abcdef0123456789abcdef'

export function newBus(options: Partial<BusOptions> = {}): Bus {
  return new Bus({
    guid: GUID,
    driver,
    credentials: { uid: 0, pid: 1, gids: undefined, label: undefined },
    machineId: () => GUID,
    timer: () => () => undefined,
    ...options,
  })
}

/** A client of a bus: what it was sent, oldest first. */
export class TestClient {
  readonly inbox: DecodedMessage[] = []
  readonly bus: Bus
  readonly peer: Peer
  /** Why the bus has ended it. */
  ended: string | undefined
  /** Bytes that may wait for it. */
  quota = Number.POSITIVE_INFINITY
  #serial = 0

  constructor(bus: Bus, uid = 0) {
    this.bus = bus
    this.peer = bus.connect(
      {
        deliver: ({ head, body }) => {
          if (head.length + body.length > this.quota) return false
          this.inbox.push(decodeMessage(Uint8Array.of(...head, ...body)))
          return true
        },
        disconnect: (reason) => {
          this.ended = reason
        },
      },
      { uid, pid: 100, gids: [uid], label: undefined },
      true,
    )
  }

  /** A client that has said Hello, and read what comes of it. */
  static hello(bus: Bus, uid = 0): TestClient {
    const client = new TestClient(bus, uid)
    client.call('Hello')
    client.take()
    return client
  }

  /** All that has come since the last time, in short. */
  take(): string[] {
    return this.inbox.splice(0).map(describe)
  }

  send(init: Omit<MessageInit, 'serial'>): number {
    const serial = ++this.#serial
    dispatch(this.bus, this.peer, encodeMessage({ ...init, serial }))
    return serial
  }

  /** Calls a method of the bus. */
  call(member: string, signature = '', ...body: readonly unknown[]): number {
    return this.send({
      type: 1,
      path: BUS_PATH,
      interface: BUS_NAME,
      destination: BUS_NAME,
      member,
      signature,
      body,
    })
  }

  /** Calls a method of the bus; what comes of it at this client, in short. */
  ask(member: string, signature = '', ...body: readonly unknown[]): string[] {
    this.call(member, signature, ...body)
    return this.take()
  }
}

function describe(message: DecodedMessage): string {
  const { type, member, errorName, body, sender, destination } = message
  const values = JSON.stringify(body.map((value) => (value instanceof Map ? [...value] : value)))
  if (type === 2) return values
  if (type === 3) return `${errorName?.replace('org.freedesktop.DBus.Error.', '')}: ${body[0]}`
  return `${sender} ${member} ${values}${destination ? '' : ' to all'}`
}
