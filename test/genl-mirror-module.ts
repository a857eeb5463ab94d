/** A kernel module: the generic families of this machine's kernel, with their numbers. */
import { open } from 'nlkit'
import { defineModule, type Kernel } from 'nlkit/kernel'
import { type Mirror, mirrorFamilies } from 'nlkit/testing'
import { registerMirrors } from './genl-mirror.ts'

async function readMirrors(): Promise<Mirror[]> {
  const nl = await open({ kernel: 'live' })
  try {
    return await mirrorFamilies(nl)
  } finally {
    await nl.close()
  }
}

const mirrors = await readMirrors()

export const mirror = defineModule({
  name: 'mirror',
  license: 'MIT',
  init(kernel: Kernel) {
    registerMirrors(kernel, mirrors)
    return () => {}
  },
})
