/** Behaviours, once more: on a kernel that another process serves. */
import { register } from 'node:module'

/** Lets the behaviours register with served-bench.ts in place of both.ts. */
const redirect = `
  export async function resolve(specifier, context, next) {
    const isBehaviour = context.parentURL?.includes('/behaviours/')
    return next(isBehaviour && specifier === '../both.js' ? '../served-bench.js' : specifier, context)
  }`
register(`data:text/javascript,${encodeURIComponent(redirect)}`)

for (const name of ['netlink-core', 'links', 'addresses', 'watch'])
  await import(`./behaviours/${name}.test.js`)
