/** Tells of IPv4 routes: those that are there, and what becomes of them, until SIGTERM. */
import { open, type Route } from 'nlkit'

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
await using nl = await open()
const watch = nl.watch(['route'], { signal: stop.signal })
await watch.ready // what follows the list is not missed
const tell = (what: string, { family, table, destination, gateway }: Route) => {
  if (family === 'inet' && table === 'main') console.log(what, destination, 'via', gateway ?? '-')
}
for await (const route of nl.routes.list({ family: 'inet' })) tell('there is', route)
console.log('listening')
for await (const event of watch) {
  if (event.type === 'resync') for (const route of event.routes ?? []) tell('there is', route)
  if (event.type === 'route') tell(event.op === 'new' ? 'added' : 'removed', event.route)
}
