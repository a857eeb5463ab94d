/** A whole bus for programs: a kernel with the module `dbus`, a bus in it, and the gateway before it. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  defineModule,
  extern,
  Kernel,
  type KernelModule,
  type ModuleDefinition,
} from '../../kernel/index.ts'
import { loadAddon } from '../../transport/addon.ts'
import type { Activation } from '../bus/activation.ts'
import { Bus } from '../bus/bus.ts'
import { BusError } from '../bus/errors.ts'
import type { Limits } from '../bus/limits.ts'
import type { Policy } from '../bus/policy.ts'
import { TokenTable } from '../bus/tokens.ts'
import { driver } from '../driver/driver.ts'
import { dbusModule } from '../netlink/module.ts'
import type { DbusBus, DbusRouter } from '../netlink/router.ts'
import { DescriptorDoor } from './descriptor-door.ts'
import { Gateway, type GatewayOptions } from './gateway.ts'
import { peerCredentialsOfThisProcess } from './peer-credentials.ts'

export interface StartOptions extends GatewayOptions {
  /** Of the bus in the kernel; `bus` unless given. */
  readonly name?: string
  readonly limits?: Limits
  readonly policy?: Policy
  /** Starts services; it is asked for once clients can come in. */
  readonly activate?: (bus: Bus, address: string) => Activation & { close(): void }
  /** Reads the configuration again. */
  readonly reload?: (bus: Bus) => void
  readonly features?: readonly string[]
  /** A kernel to be in; one is made unless given. */
  readonly kernel?: Kernel
}

export interface RunningBus {
  readonly kernel: Kernel
  readonly bus: Bus
  readonly gateway: Gateway
  /** What clients put into DBUS_SESSION_BUS_ADDRESS. */
  readonly address: string
  /** Ends the bus and all its connections. Harmless when repeated. */
  close(): void
}

/** 12 random bytes and the time in seconds, as the reference makes its UUIDs; hexadecimal. */
function newGuid(now: number = Date.now()): string {
  const bytes = randomBytes(16)
  bytes.writeUInt32BE(Math.floor(now / 1000) >>> 0, 12)
  return bytes.toString('hex')
}

const MACHINE_ID_FILES = ['/var/lib/dbus/machine-id', '/etc/machine-id']

/** @throws BusError when the machine has none. */
function machineId(): string {
  for (const file of MACHINE_ID_FILES) {
    try {
      const text = readFileSync(file, 'utf8').trim()
      if (/^[\da-f]{32}$/i.test(text)) return text
    } catch {
      // The next file may have it.
    }
  }
  throw new BusError(
    'org.freedesktop.DBus.Error.FileNotFound',
    `Failed to open "${MACHINE_ID_FILES.join('" or "')}"`,
  )
}

/** The bus that `options` describe, in the router's kernel. @throws NetlinkError EEXIST */
function addBus(router: DbusRouter, name: string, options: StartOptions): DbusBus {
  const native = loadAddon()
  const { reload, limits, policy, features } = options
  return router.addBus(name, () => {
    const bus: Bus = new Bus({
      guid: newGuid(),
      driver,
      credentials: peerCredentialsOfThisProcess(),
      machineId,
      timer: (milliseconds, expired) => router.kernel.clock.setTimer(expired, milliseconds),
      tokens: new TokenTable((fd) => native.close(fd)),
      ...(limits && { limits }),
      ...(policy && { policy }),
      ...(features && { features }),
      ...(reload && { reload: () => reload(bus) }),
    })
    return bus
  })
}

/** A kernel module: a bus and its gateway, from `init` to the undo; `dbus` cannot go before it. */
function gatewayModule(
  name: string,
  options: StartOptions,
  started: (gateway: Gateway) => void,
): ModuleDefinition {
  return defineModule({
    name: `dbus_gateway_${name.replace(/\W/g, '_')}`,
    license: 'MIT',
    description: 'Unix sockets of a message bus',
    imports: { dbus_router: extern<DbusRouter>() },
    init(_, { imports: { dbus_router: router } }) {
      const made = addBus(router, name, options)
      let gateway: Gateway
      let descriptors: DescriptorDoor
      try {
        descriptors = new DescriptorDoor(loadAddon(), made.bus)
        made.fdDoor = descriptors.name
        try {
          gateway = new Gateway(router, made, options)
        } catch (error) {
          descriptors.close()
          throw error
        }
      } catch (error) {
        router.deleteBus(made.id)
        throw error
      }
      const activation = options.activate?.(made.bus, gateway.address)
      if (activation) made.bus.activation = activation
      started(gateway)
      return () => {
        activation?.close()
        gateway.close()
        descriptors.close()
        router.deleteBus(made.id)
      }
    },
  }) as unknown as ModuleDefinition
}

/**
 * Starts a bus that programs can reach.
 * @throws NetlinkError as `Gateway` does; EEXIST when the kernel has a bus of that name.
 */
export async function startBus(options: StartOptions): Promise<RunningBus> {
  const kernel = options.kernel ?? new Kernel()
  const name = options.name ?? 'bus'
  if (!kernel.modules.find('dbus')) await kernel.insmod(dbusModule)
  let gateway!: Gateway
  const module = kernel.insmod(
    gatewayModule(name, options, (started) => {
      gateway = started
    }),
  ) as KernelModule
  let isClosed = false
  return {
    kernel,
    bus: gateway.bus.bus,
    gateway,
    address: gateway.address,
    close() {
      if (isClosed) return
      isClosed = true
      void kernel.rmmod(module.name)
    },
  }
}
