/** What this machine's Linux was built without, for nlkit's kernel to be without it, too. */
import { spawnSync } from 'node:child_process'

type Option = 'BRIDGE_VLAN_FILTERING'

function can(command: string): boolean {
  const { status, error } = spawnSync('unshare', ['-Urn', 'sh', '-c', command], {
    stdio: 'ignore',
    timeout: 10_000,
  })
  return status === 0 && !error
}

/** Of what can be missing; nothing where no namespace can be had to ask in. */
export const linuxIsWithout: readonly Option[] =
  can('ip link add br0 type bridge') && !can('ip link add br0 type bridge vlan_filtering 1')
    ? ['BRIDGE_VLAN_FILTERING']
    : []
