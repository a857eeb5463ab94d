/**
 * What `npm run bench` measures of nlkit, a process a figure: `client.js WORK [ARGUMENT]`. Prints a
 * line of JSON.
 */
import { open } from 'nlkit'
import { nlctrl } from 'nlkit/families/nlctrl'
import { rtRoute } from 'nlkit/families/rt-route'

const [work = '', argument = ''] = process.argv.slice(2)
const AF_INET = 2

/** Milliseconds of CPU, of all threads. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Milliseconds of `run`, what it counted, and the most memory that the process had. */
async function timed(run: () => Promise<number>): Promise<object> {
  const used = process.cpuUsage()
  const start = performance.now()
  const count = await run()
  const ms = performance.now() - start
  return { ms, cpuMs: cpuSince(used), count, rssMb: process.resourceUsage().maxRSS / 1024 }
}

async function rateOf(total: number, ask: () => Promise<unknown>, together: number) {
  const run = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += together) {
      if (together === 1) await ask()
      else await Promise.all(Array.from({ length: together }, ask))
    }
  }
  await run(total / 10)
  const used = process.cpuUsage()
  const start = performance.now()
  await run(total)
  const ms = performance.now() - start
  return { rate: (1000 * total) / ms, cpuRate: (1000 * total) / cpuSince(used) }
}

/** Reads every member, nests too, so that nothing is left unread. */
function readAll(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 0
  const members = value as Record<string, unknown>
  for (const name in members) count += readAll(members[name])
  return count
}

await using nl = await open()
const routes = await nl.family(rtRoute)
const control = await nl.family(nlctrl)
const dump = () => routes.dump('getRoute', { family: AF_INET })
let sum = 0

const works: Record<string, () => Promise<object>> = {
  batches: () =>
    timed(async () => {
      let count = 0
      for await (const batch of dump().batches()) count += batch.length
      return count
    }),
  visit: () =>
    timed(async () => {
      let count = 0
      await dump().visit(({ dstLen, oif = 0, priority = 0 }) => {
        count++
        sum += dstLen + oif + priority
      })
      return count
    }),
  items: () =>
    timed(async () => {
      let count = 0
      for await (const item of dump()) count += item.dstLen >= 0 ? 1 : 0
      return count
    }),
  list: () =>
    timed(async () => {
      let count = 0
      for await (const batch of nl.routes.list({ table: 'main' }).batches()) {
        for (const route of batch) sum += readAll(route)
        count += batch.length
      }
      return count
    }),
  requests: () =>
    rateOf(Number(argument), () => control.do('getFamily', { familyName: 'nlctrl' }), 1),
  flight: () =>
    rateOf(Number(argument), () => control.do('getFamily', { familyName: 'nlctrl' }), 64),
}

const run = works[work]
if (!run) throw new Error(`no such work: ${work}`)
console.log(JSON.stringify({ ...(await run()), sum }))
