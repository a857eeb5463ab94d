/** Whether scenarios can run here: they need namespaces, and the version of the programs. */
import { spawnSync } from 'node:child_process'

const version = spawnSync('ip', ['-V'], { encoding: 'utf8' }).stdout ?? ''
const canUnshare = spawnSync('unshare', ['-n', 'true']).status === 0
/** Why they cannot, or false. */
export const whyNot = !canUnshare
  ? 'needs root, for a namespace of its own'
  : !version.includes('iproute2-6.1.0')
    ? 'needs iproute2 6.1.0, whose words the lists are pinned to'
    : false
