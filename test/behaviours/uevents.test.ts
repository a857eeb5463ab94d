/** Uevents and process events, as the client hears them. */
import assert from 'node:assert/strict'
import type { KobjectEvent } from 'nlkit'
import { both } from '../both.ts'

/** Queues beyond the first are as many as the machine has CPUs. */
function isOfEveryMachine({ devpath }: KobjectEvent): boolean {
  return !/\/queues\/(?:rx|tx)-[1-9]/.test(devpath)
}

both('uevents of a veth that comes, is renamed and goes', async ({ nl }) => {
  const events = nl.uevents.watch()
  await events.ready
  await nl.links.add({ ifname: 'v0', kind: 'veth', peer: { ifname: 'v1' } })
  await nl.links.set('v0', { ifname: 'w0' })
  await nl.links.delete('w0')
  const told: string[] = []
  let last = 0n
  let removals = 0
  for await (const event of events) {
    assert.equal(event.type, 'uevent')
    const { action, devpath, env, seqnum } = event as KobjectEvent
    assert.ok(seqnum > last, 'sequence numbers rise')
    last = seqnum
    const { SEQNUM, IFINDEX, ...rest } = env
    assert.equal(BigInt(SEQNUM!), seqnum)
    assert.equal(IFINDEX === undefined, env.SUBSYSTEM !== 'net')
    if (isOfEveryMachine(event as KobjectEvent))
      told.push(`${action} ${devpath} ${JSON.stringify(rest)}`)
    if (action === 'remove' && env.SUBSYSTEM === 'net' && ++removals === 2) break
  }
  return told.sort()
})

both('uevents are told in their namespace alone', async ({ nl, elsewhere }) => {
  const other = await elsewhere()
  const [here, there] = [nl.uevents.watch(), other.uevents.watch()]
  await Promise.all([here.ready, there.ready])
  await nl.links.add({ ifname: 'v0', kind: 'bridge' })
  await other.links.add({ ifname: 'v1', kind: 'bridge' })
  const first = async (events: typeof here): Promise<string | undefined> => {
    for await (const event of events) if (event.type === 'uevent') return event.devpath
    return undefined
  }
  return [await first(here), await first(there)]
})

both('process events are told in the first namespace alone', async ({ elsewhere }) => {
  const nl = await elsewhere()
  const events = nl.processes.watch()
  await assert.rejects(events.ready, {
    code: 'ECONNREFUSED',
    message:
      'nobody tells of processes here: the connector is in the first network namespace alone (ECONNREFUSED)',
  })
  await assert.rejects(events.next(), { code: 'ECONNREFUSED' })
  events.close()
})
