/** The default route, whenever it changes. */
import { open } from 'nlkit'

const nl = await open()
for await (const event of nl.watch(['route']))
  if (event.type === 'route' && event.route.destination === 'default')
    console.log(event.op, event.route.gateway)
