import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newBus, TestClient } from '../bus/bus.test.support.ts'
import { dispatch } from '../bus/dispatch.ts'
import { DEFAULT_LIMITS } from '../bus/limits.ts'
import { encodeMessage } from '../message/index.ts'
import { makeActivation, type ServiceActivation } from './activation.ts'
import { splitCommandLine } from './command-line.ts'
import { parseServiceFile } from './service-file.ts'

const ADDRESS = 'unix:path=/tmp/x,guid=00'

interface Fixture {
  readonly directory: string
  readonly bus: ReturnType<typeof newBus>
  readonly activation: ServiceActivation
}

/** A bus whose services are files, by name and further keys. */
async function withServices(
  services: Readonly<Record<string, string>>,
  work: (fixture: Fixture) => void | Promise<void>,
  { systemd = false, timeout = 10_000, type = 'session' } = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nlkit-services-'))
  const bus = newBus({ limits: { ...DEFAULT_LIMITS, serviceStartTimeout: timeout } })
  for (const [name, keys] of Object.entries(services))
    writeFileSync(join(directory, `${name}.service`), `[D-BUS Service]\nName=${name}\n${keys}\n`)
  const serviceDirectories = [{ path: directory, strictNames: false, transient: false }]
  const activation = makeActivation(
    bus,
    { type, serviceDirectories, serviceHelper: undefined },
    { env: { PATH: process.env.PATH }, address: ADDRESS, systemd },
  )
  bus.activation = activation
  try {
    await work({ directory, bus, activation })
  } finally {
    activation.close()
    rmSync(directory, { recursive: true })
  }
}

/** What a client is sent next, in short; an error after ten seconds. */
async function next(client: TestClient): Promise<string> {
  const until = Date.now() + 10_000
  while (client.inbox.length === 0) {
    if (Date.now() > until) throw new Error('nothing came in ten seconds')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return client.take().join(' | ')
}

const call = (destination: string, member: string) => ({
  type: 1,
  path: '/',
  interface: 'a.b',
  member,
  destination,
})

test('messages wait in order for who they are for', async () => {
  await withServices({ 'com.example.A': 'Exec=/bin/true' }, ({ bus }) => {
    const [one, two] = [TestClient.hello(bus), TestClient.hello(bus)]
    one.send(call('com.example.A', 'First'))
    two.call('StartServiceByName', 'su', 'com.example.A', 0)
    two.send(call('com.example.A', 'Second'))
    one.send(call('com.example.A', 'Third'))
    deepEqual([one.take(), two.take()], [[], []])
    const service = TestClient.hello(bus)
    const seen = service.ask('RequestName', 'su', 'com.example.A', 0)
    deepEqual(
      seen.map((line) => line.split(' ')[1] ?? line),
      ['NameAcquired', 'First', 'Second', 'Third', '[1]'],
    )
    deepEqual(two.take(), ['[1]'])
    deepEqual(two.ask('StartServiceByName', 'su', 'com.example.A', 0), ['[2]'])
    deepEqual(two.ask('ListActivatableNames'), ['[["org.freedesktop.DBus","com.example.A"]]'])
  })
})

test('descriptors wait with their message, and are let go with it', async () => {
  const services = {
    'com.example.A': 'Exec=/bin/true',
    'com.example.B': 'Exec=/bin/true',
    'com.example.No': 'Exec=/does/not/exist',
  }
  await withServices(services, async ({ bus, activation }) => {
    const send = (client: TestClient, name: string): void => {
      const token = bus.tokens.add(7)
      const message = { ...call(name, 'Take'), serial: 9, signature: 'h', body: [0], unixFds: 1 }
      dispatch(bus, client.peer, encodeMessage(message), [token])
      bus.tokens.release([token])
    }
    const [sender, other] = [TestClient.hello(bus), TestClient.hello(bus)]
    send(sender, 'com.example.A')
    equal(bus.tokens.size, 1, 'it waits')
    const service = TestClient.hello(bus)
    service.call('RequestName', 'su', 'com.example.A', 0)
    equal(
      service.inbox.filter(({ member, unixFds }) => member === 'Take' && unixFds === 1).length,
      1,
    )
    equal(bus.tokens.size, 0, 'it has been delivered')
    send(other, 'com.example.B')
    bus.disconnect(other.peer)
    equal(bus.tokens.size, 0, 'who sent it has gone')
    send(sender, 'com.example.No')
    match(await next(sender), /^Spawn.ExecFailed/)
    equal(bus.tokens.size, 0, 'it cannot be started')
    send(sender, 'com.example.B')
    equal(bus.tokens.size, 1)
    activation.close()
    equal(bus.tokens.size, 0, 'the bus ends')
  })
})

test('who waits hears why nothing started', async () => {
  const services = {
    'com.example.No': 'Exec=/does/not/exist',
    'com.example.Exits': "Exec=/bin/sh -c 'exit 3'",
    'com.example.Dies': "Exec=/bin/sh -c 'kill -9 $$'",
    'com.example.Slow': 'Exec=/bin/true',
    'com.example.Quote': "Exec=/bin/sh 'a",
  }
  const reasons = {
    'com.example.No':
      'Spawn.ExecFailed: Failed to execute program com.example.No: No such file or directory',
    'com.example.Exits': 'Spawn.ChildExited: Process com.example.Exits exited with status 3',
    'com.example.Dies': 'Spawn.ChildSignaled: Process com.example.Dies received signal 9',
    'com.example.Slow':
      "TimedOut: Failed to activate service 'com.example.Slow': timed out (service_start_timeout=2000ms)",
    'com.example.Quote': 'InvalidArgs: Unclosed quotes in command line',
    'com.example.Unknown':
      'ServiceUnknown: The name com.example.Unknown was not provided by any .service files',
  }
  await withServices(
    services,
    async ({ bus }) => {
      await Promise.all(
        Object.entries(reasons).map(async ([name, reason]) => {
          const [caller, starter] = [TestClient.hello(bus), TestClient.hello(bus)]
          caller.send(call(name, 'M'))
          starter.call('StartServiceByName', 'su', name, 0)
          equal(await next(caller), reason)
          equal(await next(starter), reason)
        }),
      )
    },
    { timeout: 2000 },
  )
})

test('a service knows who started it, and what the environment was made', async () => {
  const exec = "Exec=/bin/sh -c 'env > $DIRECTORY/env; exit 1'"
  await withServices({ 'com.example.Env': exec }, async ({ bus, directory }) => {
    const client = TestClient.hello(bus)
    const variables = new Map([
      ['DIRECTORY', directory],
      ['COLOUR', 'blue'],
    ])
    deepEqual(client.ask('UpdateActivationEnvironment', 'a{ss}', variables), ['[]'])
    client.call('StartServiceByName', 'su', 'com.example.Env', 0)
    match(await next(client), /status 1$/)
    const env = readFileSync(join(directory, 'env'), 'utf8').split('\n')
    for (const line of [
      `DBUS_STARTER_ADDRESS=${ADDRESS}`,
      'DBUS_STARTER_BUS_TYPE=session',
      `DBUS_SESSION_BUS_ADDRESS=${ADDRESS}`,
      'COLOUR=blue',
    ])
      ok(env.includes(line), line)
  })
})

test('limits, policies and the end of a peer', async () => {
  await withServices({ 'com.example.A': 'Exec=/bin/true' }, ({ bus }) => {
    bus.limits = { ...bus.limits, maxPendingServiceStarts: 2 }
    const [one, two] = [TestClient.hello(bus), TestClient.hello(bus)]
    one.send(call('com.example.A', 'M'))
    one.send(call('com.example.A', 'M'))
    two.send(call('com.example.A', 'M'))
    match(two.take()[0]!, /^LimitsExceeded: The maximum number of pending activations/)
    bus.disconnect(one.peer)
    two.send(call('com.example.A', 'M'))
    deepEqual(two.take(), [])
    bus.policy = { ...bus.policy, maySend: () => 'no' }
    bus.activation.forget(two.peer)
    throws(() => bus.activation.queue('com.example.A', two.peer, { header: {} } as never), {
      errorName: 'org.freedesktop.DBus.Error.AccessDenied',
    })
  })
})

test('directories are read again: at once for a file that is new, and on reload', async () => {
  await withServices({}, ({ bus, directory, activation }) => {
    const client = TestClient.hello(bus)
    client.ask('AddMatch', 's', "member='ActivatableServicesChanged'")
    ok(!bus.activation.isActivatable('com.example.New'))
    const text = '[D-BUS Service]\nName=com.example.New\nExec=/bin/true\n'
    writeFileSync(join(directory, 'any.service'), text)
    ok(bus.activation.isActivatable('com.example.New'))
    const other = join(directory, 'strict')
    mkdirSync(other)
    writeFileSync(join(other, 'any.service'), text)
    writeFileSync(join(other, 'com.example.Own.service'), text.replace('New', 'Own'))
    activation.reload({
      type: 'session',
      serviceHelper: undefined,
      serviceDirectories: [{ path: other, strictNames: true, transient: false }],
    })
    deepEqual(bus.activation.names(), ['com.example.Own'])
    deepEqual(client.take(), ['org.freedesktop.DBus ActivatableServicesChanged [] to all'])
  })
})

test('units are systemd’s: it is asked, may come late, and may fail', async () => {
  const services = { 'com.example.Unit': 'Exec=/bin/false\nSystemdService=example.service' }
  await withServices(
    services,
    ({ bus }) => {
      const client = TestClient.hello(bus)
      client.send(call('com.example.Unit', 'M'))
      const systemd = TestClient.hello(bus)
      const [, request] = systemd.ask('RequestName', 'su', 'org.freedesktop.systemd1', 0)
      equal(request, 'org.freedesktop.DBus ActivationRequest ["example.service"]')
      client.call('UpdateActivationEnvironment', 'a{ss}', new Map([['A', 'b']]))
      equal(systemd.take()[0], 'org.freedesktop.DBus SetEnvironment [["A=b"]]')
      client.take()
      const failure = {
        type: 4,
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.systemd1.Activator',
        member: 'ActivationFailure',
        destination: 'org.freedesktop.DBus',
        signature: 'sss',
        body: ['example.service', 'com.example.Masked', 'no such thing'],
      }
      client.send(failure)
      deepEqual(client.take(), [])
      systemd.send(failure)
      deepEqual(client.take(), ['com.example.Masked: no such thing'])
    },
    { systemd: true },
  )
})

test('command lines are words', () => {
  deepEqual(splitCommandLine(`/bin/x  'a b' "c \\"d\\" \\e" f\\ g '' # h`), [
    '/bin/x',
    'a b',
    'c "d" \\e',
    'f g',
    '',
  ])
  throws(() => splitCommandLine(' '), { message: 'Text was empty (or contained only whitespace)' })
})

test('.service files say what is wrong with them', () => {
  const file = (text: string) => parseServiceFile(`# x\n[D-BUS Service]\n${text}`)
  deepEqual(file('Name=a.b\nName[de]=c.d\nExec=/a\\sb \nUser=ann\n[Other]\nExec=/no'), {
    name: 'a.b',
    exec: '/a b ',
    user: 'ann',
    systemdService: undefined,
  })
  equal(file('Exec=/a'), 'there is no Name')
  equal(file('Name=a\nExec=/a'), '"a" is not a valid name')
  equal(file('Name=a.b'), 'there is no Exec')
  equal(file('nonsense'), 'line 3 is neither section nor key')
})
