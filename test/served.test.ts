/** Behaviours, once more: on a kernel that another process serves. */
import { register } from 'node:module'

/** Lets the behaviours register with served-bench.ts in place of both.ts. */
const redirect = `
  export async function resolve(specifier, context, next) {
    const isBehaviour = context.parentURL?.includes('/behaviours/')
    return next(isBehaviour && specifier === '../both.js' ? '../served-bench.js' : specifier, context)
  }`
register(`data:text/javascript,${encodeURIComponent(redirect)}`)

// The behaviours of netlink-core look at what is queued when send returns: over a socket that may be later.
for (const name of ['links', 'addresses', 'routes', 'neighbours-rules', 'watch', 'waiting'])
  await import(`./behaviours/${name}.test.js`)
